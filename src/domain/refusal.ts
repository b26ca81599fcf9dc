/** Why something asked for is refused; mapped to a status code once, in rpc/interceptors.ts. */
export type RefusalReason =
  /** The request itself is wrong. */
  | 'invalid'
  /** What it names does not exist. */
  | 'notFound'
  /** The range asked for is not there any more. */
  | 'outOfRange'
  /** A bound is reached. */
  | 'limit'
  /** Not now: a store or the server itself is away. */
  | 'unavailable';

/** An expected no. The message is for the caller: it names the field and what was expected. */
export class Refusal extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Refusal';
    this.reason = reason;
  }
}
