import { Refusal } from '../domain/refusal.ts';
import type { DecidedEvent, Halts } from './order-log.ts';

/**
 * Refuses an order of who is halted.
 * @throws Refusal with the words of who halted
 */
export function refuseHalted({ everything, accounts }: Halts, account: string): void {
  const reason = everything ?? accounts.get(account);
  if (reason === undefined) return;
  const whose = everything === undefined ? ` for account ${account}` : '';
  const why = reason === '' ? '' : ` (${reason})`;
  throw new Refusal('failedPrecondition', `Trading is halted${whose}: no order is accepted${why}`);
}

/** Whether an event may happen under these halts: who is halted may only cancel, and does expire. */
export function mayHappen(
  { event, order }: DecidedEvent,
  { everything, accounts }: Halts,
): boolean {
  if (event.type === 'canceled' || event.type === 'expired') return true;
  return everything === undefined && !accounts.has(order.account);
}
