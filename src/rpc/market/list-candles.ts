import type { Micros } from '../../base/clock.ts';
import { compareVersions } from '../../domain/candle.ts';
import type { Candle } from '../../domain/candle.ts';
import { splitInstrumentName } from '../../domain/instrument.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Timeframe } from '../../domain/timeframe.ts';
import { logKey } from '../../market/candle-log.ts';
import type { CandleLog, LogPosition } from '../../market/candle-log.ts';
import type { CandleQuery } from '../../store/candle/candle-store.ts';
import { formatCursor, parseCursor } from './cursor.ts';

/** Where stored candles are read: by open time, at most `limit`. */
export interface CandleHistory {
  listCandles(query: CandleQuery): Promise<readonly Candle[]>;
}

export type CandleRange = {
  readonly instrument: InstrumentName;
  readonly timeframe: Timeframe;
  /** Candles that open at or after this; default: from the first one. */
  readonly from: Micros | undefined;
  /** Candles that open before this; default: to the last one. */
  readonly to: Micros | undefined;
  readonly limit: number;
  readonly pageToken: string;
  readonly newestFirst: boolean;
};

export type CandlePage = {
  readonly candles: readonly Candle[];
  readonly nextPageToken: string;
  readonly cursor: string;
};

/**
 * Lists closed candles as they stood at one place in the stream: that of the first page, which the
 * page token carries on. What was published later is left out, even where the persistor has stored
 * it meanwhile, because streaming from the cursor brings it.
 * @throws Refusal for a token that is none, and 'unavailable' when the history does not answer
 */
export async function listCandles(
  log: CandleLog,
  history: CandleHistory | undefined,
  range: CandleRange,
): Promise<CandlePage> {
  const page = openPage(log, range);
  const entries = log.since(logKey(range.instrument, range.timeframe), 0);
  const isThen = page.position.run === log.position.run;
  const retained = new Map<Micros, Candle>();
  const later = new Set<string>();
  for (const entry of entries) {
    if (entry.type !== 'candle') continue;
    const { candle } = entry;
    if (isThen && entry.sequence > page.position.sequence) later.add(versionOf(candle));
    else if (candle.openTime >= page.from && candle.openTime < page.to) {
      retained.set(candle.openTime, candle);
    }
  }
  // One more than asked for shows whether there is a next page, and those to leave out come on top.
  const limit = range.limit + 1;
  const stored = await readHistory(history, range, page, limit + later.size);
  for (const candle of stored) {
    if (later.has(versionOf(candle))) continue;
    const other = retained.get(candle.openTime);
    if (other === undefined || compareVersions(candle, other) > 0) {
      retained.set(candle.openTime, candle);
    }
  }
  const direction = range.newestFirst ? -1 : 1;
  const all = [...retained.values()].toSorted((a, b) => direction * (a.openTime - b.openTime));
  const candles = all.slice(0, range.limit);
  const last = candles.at(-1);
  return {
    candles,
    nextPageToken:
      all.length > range.limit && last !== undefined
        ? `p1.${last.openTime}.${formatCursor(page.position)}`
        : '',
    cursor: formatCursor(page.position),
  };
}

type Page = { readonly position: LogPosition; readonly from: Micros; readonly to: Micros };

/** The span that is left to list, and the place in the stream that it is listed as of. */
function openPage(
  log: CandleLog,
  { pageToken, from = 0, to = latest, newestFirst }: CandleRange,
): Page {
  if (pageToken === '') return { position: log.position, from, to };
  const match = /^p1\.(\d{1,16})\.(c1\..+)$/u.exec(pageToken);
  if (match === null) {
    throw new Refusal('invalid', 'page_token: expected the next_page_token of an answer');
  }
  const lastOpenTime = Number(match[1]);
  const position = parseCursor('page_token', match[2] ?? '');
  return newestFirst
    ? { position, from, to: Math.min(to, lastOpenTime) }
    : { position, from: Math.max(from, lastOpenTime + 1), to };
}

/** The last time that is exact in a number. */
const latest: Micros = Number.MAX_SAFE_INTEGER;

async function readHistory(
  history: CandleHistory | undefined,
  { instrument, timeframe, newestFirst }: CandleRange,
  { from, to }: Page,
  limit: number,
): Promise<readonly Candle[]> {
  if (history === undefined || from >= to) return [];
  const { exchange = '', symbol } = splitInstrumentName(instrument);
  try {
    return await history.listCandles({ exchange, symbol, timeframe, from, to, limit, newestFirst });
  } catch (cause) {
    throw new Refusal('unavailable', 'The stored candles cannot be read now', { cause });
  }
}

const versionOf = ({ openTime, run, revision }: Candle) => `${openTime} ${run} ${revision}`;
