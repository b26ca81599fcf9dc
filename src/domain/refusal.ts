/** Why something asked for is refused; mapped to a status code once, in rpc/interceptors.ts. */
export type RefusalReason =
  /** The request itself is wrong. */
  | 'invalid'
  /** What it names does not exist. */
  | 'notFound'
  /** The range asked for is not there any more. */
  | 'outOfRange'
  /** Its key is that of something else that exists. */
  | 'alreadyExists'
  /** Not in the state that things are in. */
  | 'failedPrecondition'
  /** A bound is reached. */
  | 'limit'
  /** Not now: a store or the server itself is away. */
  | 'unavailable';

export type RefusalOptions = ErrorOptions & {
  /** The field of the request that is wrong, as the contract names it. */
  readonly field?: string;
};

/** An expected no. The message is for the caller: it names the field and what was expected. */
export class Refusal extends Error {
  readonly reason: RefusalReason;
  readonly field: string | undefined;

  constructor(reason: RefusalReason, message: string, options?: RefusalOptions) {
    super(message, options);
    this.name = 'Refusal';
    this.reason = reason;
    this.field = options?.field;
  }
}
