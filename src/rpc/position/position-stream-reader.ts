import type { StreamPositionsRequest } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import type { Micros } from '../../base/clock.ts';
import { defaultAccount } from '../../domain/account.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { Position, PositionName } from '../../domain/position.ts';
import type { ChangedPosition } from './changed-positions.ts';
import type { InstrumentDirectory } from '../instrument-directory.ts';
import { positionInstrument } from './position-instrument.ts';
import type { PositionMark, PositionMarks } from './position-marks.ts';

/** What one reader of StreamPositions wants, and has. */
export class PositionStreamReader {
  readonly account: string;
  /** Undefined: all. */
  readonly #instruments: ReadonlySet<InstrumentName> | undefined;
  /** The place in the log up to which it had got everything when it began to follow. */
  seenThrough = 0;
  /** What was told last of each. */
  readonly #counts = new Map<InstrumentName, number>();
  readonly #held = new Map<InstrumentName, Position>();
  /** When the book ticker of the last mark was received. */
  readonly #markTimes = new Map<InstrumentName, Micros>();

  private constructor(account: string, instruments: ReadonlySet<InstrumentName> | undefined) {
    this.account = account;
    this.#instruments = instruments;
  }

  /** @throws Refusal for an instrument that is none */
  static of(
    { account, instruments }: StreamPositionsRequest,
    directory: InstrumentDirectory,
  ): PositionStreamReader {
    const names = instruments.map((name) => positionInstrument(directory, 'instruments', name));
    return new PositionStreamReader(
      account === '' ? defaultAccount : account,
      names.length === 0 ? undefined : new Set(names),
    );
  }

  wants({ account, instrument }: PositionName): boolean {
    return account === this.account && (this.#instruments?.has(instrument) ?? true);
  }

  /** Whether it was told before it began to follow, or had it when it came back. */
  has({ position }: ChangedPosition): boolean {
    return position <= this.seenThrough;
  }

  /**
   * Whether it is newer than what the reader has, who has it from now on. Executions only become more,
   * so that more are newer.
   */
  takes(position: Position): boolean {
    const { instrument, executionCount } = position;
    if ((this.#counts.get(instrument) ?? 0) >= executionCount) return false;
    this.#counts.set(instrument, executionCount);
    this.hold(position);
    return true;
  }

  /** Marks are told of it. */
  hold(position: Position): void {
    this.#held.set(position.instrument, position);
  }

  /** What is held by a book ticker that came since the last time. */
  *newMarks(
    marks: PositionMarks,
  ): Iterable<{ readonly instrument: InstrumentName; readonly mark: PositionMark }> {
    for (const [instrument, position] of this.#held) {
      const mark = marks.mark(position);
      if (mark === undefined) continue;
      const { receivedTime } = mark.ticker;
      if (this.#markTimes.get(instrument) === receivedTime) continue;
      this.#markTimes.set(instrument, receivedTime);
      yield { instrument, mark };
    }
  }
}
