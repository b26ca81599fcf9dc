import { LatencyHistogram } from '../base/latency-histogram.ts';
import { readCounter, readGauge } from '../base/metrics.ts';
import type { Registry } from '../base/metrics.ts';
import type { MarketEvent } from '../domain/market-event.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { AuditCounts } from '../exchange/audit.ts';
import type { Feed } from '../exchange/feed.ts';
import type { InstrumentStatus } from '../market/instrument-state.ts';
import type { MarketCounters } from '../market/market-counters.ts';
import type { Market } from '../market/market.ts';
import type { MarketBroadcast } from '../rpc/market/market-broadcast.ts';

const marketCounterHelp: Readonly<Record<keyof MarketCounters, string>> = {
  trades: 'Trades taken into candles',
  duplicateTrades: 'Trades that had come before, or came too late to count',
  recoveredTrades: 'Trades that were missing and were asked for',
  implausibleTrades: 'Trades with a time that cannot be',
  bookTickers: 'Book tickers taken',
  staleBookTickers: 'Book tickers that were not newer than the last one',
  unknownInstruments: 'Events of instruments that are not followed',
  candlesClosed: 'Closed candles published, revisions among them',
  candlesRevised: 'Closed candles published again',
  gapsFound: 'Runs of missing trades found',
  gapsAbsent: 'Runs of missing trades that the exchange has not got either',
  gapsFilled: 'Runs of missing trades that came after all',
};

/** Shows the market, the feeds and the streams in /metrics; all values are read when asked for. */
export function registerServerMetrics(
  registry: Registry,
  parts: {
    readonly market: Market;
    readonly feeds: () => readonly Feed[];
    readonly broadcast: MarketBroadcast;
    readonly statuses: () => readonly InstrumentStatus[];
    readonly auditOf: (instrument: InstrumentName) => AuditCounts;
  },
): void {
  const { market, feeds, broadcast, statuses, auditOf } = parts;
  for (const [counter, help] of Object.entries(marketCounterHelp)) {
    readCounter(registry, {
      name: `tradewind_market_${snakeCase(counter)}_total`,
      help,
      read: () => market.counters[counter as keyof MarketCounters],
    });
  }
  readGauge(registry, {
    name: 'tradewind_clock_offset_seconds',
    help: 'The exchange’s clock less ours, less the shortest delay on the way',
    labelNames: ['exchange'],
    read: () =>
      [...market.clockOffsets].map(([exchange, offset]) => [{ exchange }, offset / 1e6] as const),
  });
  readGauge(registry, {
    name: 'tradewind_retained_candles',
    help: 'Closed candles and gaps held in memory',
    read: () => market.log.size,
  });
  readGauge(registry, {
    name: 'tradewind_instrument_state',
    help: '1 for the state that an instrument’s feed is in',
    labelNames: ['instrument', 'state'],
    read: () => statuses().map(({ instrument, state }) => [{ instrument, state }, 1] as const),
  });
  for (const result of ['compared', 'equal', 'mended'] as const) {
    readCounter(registry, {
      name: `tradewind_audit_candles_${result}_total`,
      help: `Closed 1m candles held against the exchange’s own: ${result}`,
      labelNames: ['instrument'],
      read: () =>
        statuses().map(({ instrument }) => [{ instrument }, auditOf(instrument)[result]] as const),
    });
  }
  registerFeedMetrics(registry, feeds);
  const perStream = (value: (stream: { readers: number; overflows: number }) => number) => () =>
    Object.entries(broadcast.statistics).map(
      ([stream, statistics]) => [{ stream }, value(statistics)] as const,
    );
  readGauge(registry, {
    name: 'tradewind_stream_readers',
    help: 'Readers of a stream',
    labelNames: ['stream'],
    read: perStream(({ readers }) => readers),
  });
  readCounter(registry, {
    name: 'tradewind_stream_overflows_total',
    help: 'Readers that were cut off because they fell too far behind',
    labelNames: ['stream'],
    read: perStream(({ overflows }) => overflows),
  });
}

function registerFeedMetrics(registry: Registry, feeds: () => readonly Feed[]): void {
  readCounter(registry, {
    name: 'tradewind_feed_frames_total',
    help: 'Frames received',
    labelNames: ['exchange'],
    read: () =>
      feeds().map((feed) => [{ exchange: feed.exchangeName }, feed.status().counters.frames]),
  });
  readCounter(registry, {
    name: 'tradewind_feed_ignored_frames_total',
    help: 'Frames of events and symbols that are not ours',
    labelNames: ['exchange'],
    read: () =>
      feeds().map((feed) => [
        { exchange: feed.exchangeName },
        feed.status().counters.ignoredFrames,
      ]),
  });
  readCounter(registry, {
    name: 'tradewind_feed_reconnects_total',
    help: 'Connections opened again',
    labelNames: ['exchange'],
    read: () =>
      feeds().map((feed) => [{ exchange: feed.exchangeName }, feed.status().counters.reconnects]),
  });
  readCounter(registry, {
    name: 'tradewind_feed_bad_frames_total',
    help: 'Frames that could not be read, by cause',
    labelNames: ['exchange', 'cause'],
    read: () =>
      feeds().flatMap((feed) =>
        Object.entries(feed.status().counters.badFrames).map(
          ([cause, count]) => [{ exchange: feed.exchangeName, cause }, count] as const,
        ),
      ),
  });
}

/** Measures a trade's way: from the exchange to us, and from there to everybody's streams. */
export class TradeLatency {
  readonly #received: LatencyHistogram;
  readonly #published: LatencyHistogram;

  constructor(registry: Registry) {
    this.#received = new LatencyHistogram(
      registry,
      'tradewind_trade_received_seconds',
      'From the exchange’s sending of a trade to our receiving it',
    );
    this.#published = new LatencyHistogram(
      registry,
      'tradewind_trade_published_seconds',
      'From our receiving a trade to all that follows from it being published',
    );
  }

  observe(event: MarketEvent, now: number): void {
    if (event.type !== 'trade') return;
    this.#received.observe(event.receivedTime - (event.eventTime ?? event.exchangeTime));
    this.#published.observe(now - event.receivedTime);
  }
}

function snakeCase(camelCase: string): string {
  return camelCase.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
}
