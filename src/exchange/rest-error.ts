/** A question that the exchange did not answer. */
export class RestError extends Error {
  override readonly name = 'RestError';
  /**
   * stopped: it may not be asked now · refused: it says no to this very question (4xx) · failed: no
   * usable answer, several times · busy: too many questions wait already.
   */
  readonly kind: 'stopped' | 'refused' | 'failed' | 'busy';

  constructor(kind: RestError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
