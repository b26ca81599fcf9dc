import type { Registry } from '../base/metrics.ts';
import type { Surroundings } from '../base/program.ts';
import type { Mode } from '../domain/mode.ts';
import { AddressBudgets } from '../exchange/address-budget.ts';
import type { Market } from '../market/market.ts';
import { InstrumentDirectory } from '../rpc/instrument-directory.ts';
import type { CandleReader } from '../store/candle/candle-store.ts';
import type { ModeStore } from '../store/mode-store.ts';
import { Captures } from './captures.ts';
import type { ServerConfig } from './config.ts';
import { followedIn } from './configured-exchange.ts';
import type { ConfiguredExchange } from './configured-exchange.ts';
import { Modes } from './modes.ts';
import { OpenExchange } from './open-exchange.ts';
import type { OpenGaps } from './open-gaps.ts';
import type { TradeLatency } from './server-metrics.ts';
import { storedCandles } from './stored-history.ts';

export type OpenModesParts = {
  readonly mode: Mode;
  readonly market: Market;
  readonly directory: InstrumentDirectory;
  readonly latency: TradeLatency;
  readonly history: CandleReader | undefined;
  readonly gaps: OpenGaps;
  readonly store: ModeStore | undefined;
};

/** The modes, and what begins to follow the exchanges of the first one; `stack` closes it all. */
export type OpenModes = {
  readonly modes: Modes;
  readonly start: (stack: AsyncDisposableStack) => Promise<void>;
};

/** Where names are looked up, in a mode to begin with. */
export function directoryOf(
  exchanges: readonly ConfiguredExchange[],
  mode: Mode,
): InstrumentDirectory {
  const { exchanges: names, instruments } = followedIn(mode, exchanges);
  const others = followedIn(mode === 'TEST' ? 'LIVE' : 'TEST', exchanges);
  return new InstrumentDirectory(instruments, names[0] ?? '', others.instruments);
}

/** What follows the exchanges, in one mode or the other; nothing is followed before its start. */
export function openModes(
  config: ServerConfig,
  { mode, directory, history, store, ...parts }: OpenModesParts,
  { metrics, clock, logger }: Surroundings & { readonly metrics: Registry },
): OpenModes {
  const surroundings = { clock, logger };
  const captures = new Captures(config, { ...surroundings, metrics });
  const budgets = new AddressBudgets(clock);
  const stored = storedCandles(history);
  const modes = new Modes({
    config,
    mode,
    directory,
    prepare: async (exchanges) => {
      for (const { exchangeName } of exchanges) await captures.open(exchangeName);
    },
    open: (exchange) => {
      const onFrame = captures.of(exchange.exchangeName);
      return new OpenExchange(exchange, {
        ...parts,
        config,
        stored,
        budgets,
        onFrame,
        surroundings,
      });
    },
    keep: store && ((kept) => store.keep({ mode: kept, configured: config.mode })),
    surroundings,
  });
  return {
    modes,
    start: async (stack) => {
      // Before the feeds, so that they are closed after them.
      stack.use(captures);
      stack.use(modes);
      await modes.start();
    },
  };
}
