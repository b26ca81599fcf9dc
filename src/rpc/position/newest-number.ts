/** A number that changes, for a reader who may be slow: only the newest one waits for it. */
export class NewestNumber {
  #newest: number | undefined;
  #isEnded = false;
  #wake: () => void = () => {};

  set(value: number): void {
    this.#newest = value;
    this.#wake();
  }

  /** Nothing more will come. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  /** The newest one that was not answered yet, as soon as there is one; undefined at the end. */
  async next(): Promise<number | undefined> {
    if (this.#newest === undefined && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const newest = this.#newest;
    this.#newest = undefined;
    return newest;
  }
}
