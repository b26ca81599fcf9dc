/**
 * The places at which a test ends the process in the middle of things: whatever is done at one of
 * them and not yet at the next must be safe to lose, or already stored.
 */
export const crashPoints = [
  'submission.received',
  'accepted.appending',
  'accepted.committed',
  'accepted.entering',
  'accepted.answered',
  'filled.decided',
  'filled.appending',
  'filled.committed',
  'canceled.decided',
  'canceled.appending',
  'canceled.committed',
  'expired.decided',
  'expired.appending',
  'expired.committed',
  'shard.loading',
  'shard.loaded',
  'leases.renewing',
  'leases.renewed',
  'leases.releasing',
] as const;

export type CrashPoint = (typeof crashPoints)[number];

/** Is told when a place is reached. */
export type ReachPoint = (point: CrashPoint) => void;
