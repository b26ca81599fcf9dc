/**
 * What one open connection has shown of itself. It counts ticks of a steady timer, not times: a
 * frame then costs an increment, and a process that stood still finds the frames that wait for it
 * before it takes their absence for silence.
 */
export class Liveness {
  /** Frames that held an event of ours. */
  dataFrames = 0;
  /** All other signs of life: heartbeats, answers, events of others. */
  otherSigns = 0;
  /** Frames that nobody could read within the current minute. */
  unreadableFrames = 0;
  openMs = 0;
  /** How long there has been no sign of life at all. */
  silentMs = 0;
  /** How long there has been no event of ours. */
  dataSilentMs = 0;
  readonly #tickMs: number;
  #seenDataFrames = 0;
  #seenOtherSigns = 0;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  tick(): void {
    const isDataNew = this.dataFrames !== this.#seenDataFrames;
    const isOtherNew = this.otherSigns !== this.#seenOtherSigns;
    this.#seenDataFrames = this.dataFrames;
    this.#seenOtherSigns = this.otherSigns;
    this.dataSilentMs = isDataNew ? 0 : this.dataSilentMs + this.#tickMs;
    this.silentMs = isDataNew || isOtherNew ? 0 : this.silentMs + this.#tickMs;
    const minute = Math.floor(this.openMs / 60_000);
    this.openMs += this.#tickMs;
    if (Math.floor(this.openMs / 60_000) !== minute) this.unreadableFrames = 0;
  }
}
