import { aBookTickerPayload, anAggTradePayload } from './binance-frames.ts';
import { openTwinFeed, withLastTrades } from './twin-feed.ts';
import { TwinStreams } from './twin-streams.ts';

type Options = Omit<NonNullable<Parameters<typeof openTwinFeed>[0]>, 'prepare'> & {
  readonly prepare?: (streams: TwinStreams) => void;
};

/** A feed on an exchange that keeps subscriptions, trades on demand, and knows the last trades. */
export async function openStreams({ prepare, ...options }: Options = {}) {
  let streams: TwinStreams | undefined;
  const lastIds = new Map<string, number>();
  /** The symbols whose last trade was asked for. */
  const asked: string[] = [];
  const setup = await openTwinFeed({
    exchange: withLastTrades((symbol) => {
      asked.push(symbol);
      return lastIds.get(symbol);
    }),
    ...options,
    prepare: (twin) => {
      streams = new TwinStreams(twin);
      prepare?.(streams);
    },
  });
  if (streams === undefined) throw new Error('Expected the twin to be prepared');
  const own = streams;
  await setup.untilState('open');
  await setup.settle();
  let updateId = 0;
  return {
    ...setup,
    streams: own,
    lastIds,
    asked,
    /** The next trade of a symbol, on every connection that delivers it, or only on one. */
    trade: (symbol = 'BTCUSDT', only?: number) => {
      const time = setup.clock.now() / 1000;
      const id = (lastIds.get(symbol) ?? 0) + 1;
      lastIds.set(symbol, id);
      own.publish(anAggTradePayload({ s: symbol, a: id, f: id, l: id, T: time, E: time }), only);
    },
    tick: (symbol = 'BTCUSDT') => own.publish(aBookTickerPayload({ s: symbol, u: ++updateId })),
    [Symbol.asyncDispose]: () => setup[Symbol.asyncDispose](),
  };
}
