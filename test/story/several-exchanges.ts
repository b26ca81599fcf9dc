import { repeat } from '../../src/base/clock.ts';
import type { Clock, Micros } from '../../src/base/clock.ts';
import type { Decimal } from '../../src/base/decimal.ts';
import { parseDecimal } from '../../src/base/decimal.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import type { RunningSimulator } from '../../src/simulator/start-simulator.ts';
import { TwinCoinbase } from '../support/twin-coinbase.ts';
import { TwinExchange } from '../support/twin-exchange.ts';
import { TwinJsonLines } from '../support/twin-json-lines.ts';
import { TwinKraken } from '../support/twin-kraken.ts';

/** What was traded: when, by the exchange's clock, and at which price. */
export type Told = { readonly time: Micros; readonly price: Decimal };

/** The seeds of the market that stands for the real Binance, and of the one that TEST mode works on. */
export const seeds = { binance: 'the real one', 'sim-binance': 'the other one' } as const;

const tradeEveryMs = 40;

/**
 * One of each kind of exchange, which trade all the time whether anybody listens or not. The same
 * symbols are on several of them, at prices that tell them apart: a hundred on Coinbase, two hundred on
 * Kraken, three hundred at the TCP port, some 66,000 on Binance.
 */
export class SeveralExchanges implements AsyncDisposable {
  readonly coinbase: TwinExchange;
  readonly kraken: TwinExchange;
  readonly lines: TwinJsonLines;
  readonly told: Readonly<Record<'coinbase' | 'kraken' | 'exchange1', Told[]>> = {
    coinbase: [],
    kraken: [],
    exchange1: [],
  };
  readonly #binance: RunningSimulator;
  readonly #simulator: RunningSimulator;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    clock: Clock,
    parts: {
      readonly binance: RunningSimulator;
      readonly simulator: RunningSimulator;
      readonly coinbase: TwinExchange;
      readonly kraken: TwinExchange;
      readonly lines: TwinJsonLines;
    },
    resources: AsyncDisposableStack,
  ) {
    this.coinbase = parts.coinbase;
    this.kraken = parts.kraken;
    this.lines = parts.lines;
    this.#binance = parts.binance;
    this.#simulator = parts.simulator;
    this.#resources = resources;
    this.#trade(clock);
  }

  static async open(clock: Clock): Promise<SeveralExchanges> {
    await using resources = new AsyncDisposableStack();
    const simulate = async (seed: string) => {
      const environment = { SIMULATOR_PORT: '0', SIMULATOR_SEED: seed };
      const surroundings = { clock, logger: silentLogger };
      return resources.use(
        await startSimulator(readSimulatorConfig(environment, {}), surroundings),
      );
    };
    const parts = {
      binance: await simulate(seeds.binance),
      simulator: await simulate(seeds['sim-binance']),
      coinbase: resources.use(await TwinExchange.open()),
      kraken: resources.use(await TwinExchange.open()),
      lines: resources.use(await TwinJsonLines.open()),
    };
    return new SeveralExchanges(clock, parts, resources.move());
  }

  /** The settings of a server that follows them all, in LIVE mode to begin with. */
  get environment(): Readonly<Record<string, string>> {
    const { coinbase, kraken, lines } = this;
    return {
      MODE: 'LIVE',
      BINANCE_SYMBOLS: 'BTCUSDT',
      BINANCE_WEBSOCKET_BASE_URL: this.#binance.url.replace(/^http/u, 'ws'),
      BINANCE_REST_BASE_URL: this.#binance.url,
      COINBASE_SYMBOLS: 'BTC-USD',
      COINBASE_WEBSOCKET_BASE_URL: coinbase.webSocketBaseUrl,
      COINBASE_REST_BASE_URL: coinbase.restBaseUrl,
      KRAKEN_SYMBOLS: 'BTC/USD',
      KRAKEN_WEBSOCKET_BASE_URL: kraken.webSocketBaseUrl,
      KRAKEN_REST_BASE_URL: kraken.restBaseUrl,
      EXCHANGE1_PORT: String(lines.port),
      EXCHANGE_SYMBOLS: 'BTCUSDT',
      SIMULATOR_URL: this.#simulator.url,
      SIMULATOR_EXCHANGE_PORTS: this.#simulator.exchangePorts.join(' '),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  #trade(clock: Clock): void {
    const coinbase = new TwinCoinbase(this.coinbase);
    const kraken = new TwinKraken(this.kraken);
    const note = (exchange: keyof typeof this.told, time: Micros, price: string) =>
      this.told[exchange].push({ time, price: parseDecimal(price) });
    let count = 0;
    const trade = () => {
      // Lines tell milliseconds.
      const time = Math.floor(clock.now() / 1000) * 1000;
      count++;
      note('coinbase', time, String(100 + (coinbase.trade(time) % 10)));
      // Its twin gives ids that leave some out, as Kraken does.
      if (count % 7 === 0) kraken.skipId();
      const krakenPrice = `${200 + (count % 10)}.5`;
      kraken.trade(time, 1, { price: krakenPrice });
      note('kraken', time, krakenPrice);
      const linePrice = `${300 + (count % 10)}`;
      this.lines.line({ price: linePrice, timestamp: time / 1000 });
      note('exchange1', time, linePrice);
    };
    this.#resources.use(repeat(clock, tradeEveryMs, trade));
    this.#resources.use(
      repeat(clock, 1000, () => {
        coinbase.heartbeat();
        kraken.heartbeat();
      }),
    );
  }
}
