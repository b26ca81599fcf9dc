import type { Gap } from '../domain/gap.ts';
import type { InstrumentName } from '../domain/instrument.ts';

/**
 * The gaps that nobody has filled yet. An exchange that is left with some is asked for them when it is
 * followed again. There are never more than the market knows of: it gives the oldest of an instrument
 * up itself.
 */
export class OpenGaps {
  readonly #gaps = new Map<InstrumentName, Map<string, Gap>>();

  /** To be told of every gap as it is published. */
  note(gap: Gap): void {
    const { instrument, firstMissingId, lastMissingId, state } = gap;
    const key = `${firstMissingId}-${lastMissingId}`;
    const gaps = this.#gaps.get(instrument) ?? new Map<string, Gap>();
    if (state === 'open') this.#gaps.set(instrument, gaps.set(key, gap));
    else gaps.delete(key);
  }

  of(instrument: InstrumentName): readonly Gap[] {
    return [...(this.#gaps.get(instrument)?.values() ?? [])];
  }
}
