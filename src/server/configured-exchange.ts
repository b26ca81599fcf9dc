import { instrumentName } from '../domain/instrument.ts';
import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import { nameInMode } from '../domain/mode.ts';
import type { Mode } from '../domain/mode.ts';
import { binance } from '../exchange/binance.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { TcpAddress } from '../exchange/json-lines/tcp-socket.ts';

/** Where an exchange is, and what it speaks. */
export type ExchangeSource =
  | {
      readonly type: 'webSocket';
      readonly exchange: Exchange;
      readonly webSocketBaseUrl: string;
      readonly restBaseUrl: string;
    }
  | { readonly type: 'lines'; readonly address: TcpAddress };

/** What of the simulator stands for an exchange: its Binance, or its exchange1, exchange2, … */
export type Twin =
  | { readonly type: 'webSocket' }
  | { readonly type: 'lines'; readonly number: number };

/** An exchange that the configuration names. */
export type ConfiguredExchange = {
  /** "binance", "exchange1": its name in LIVE mode. */
  readonly name: ExchangeName;
  /** As somebody typed them. */
  readonly symbols: readonly string[];
  /** The same as instruments have them, each once. */
  readonly instrumentSymbols: readonly string[];
  /** undefined: it is followed in TEST mode alone. */
  readonly live: ExchangeSource | undefined;
  /** undefined: it is followed in LIVE mode alone. */
  readonly twin: Twin | undefined;
};

/** A simulator that runs. */
export type SimulatorAddress = {
  /** http://127.0.0.1:8090 */
  readonly url: string;
  /** Those of exchange1, exchange2, … */
  readonly exchangePorts: readonly number[];
};

/** An exchange to be followed now. */
export type FollowedExchange = {
  /** Its name in instruments: "sim-binance". */
  readonly exchangeName: ExchangeName;
  readonly symbols: readonly string[];
  readonly instruments: readonly InstrumentName[];
  readonly source: ExchangeSource;
};

/** Whether an exchange is followed in a mode. */
export function isFollowedIn(mode: Mode, { live, twin }: ConfiguredExchange): boolean {
  return (mode === 'TEST' ? twin : live) !== undefined;
}

/** Whether an exchange, or its twin, is one of JSON lines: "sim-exchange1". */
export function pushesLines(
  exchangeName: ExchangeName,
  configured: readonly ConfiguredExchange[],
): boolean {
  return configured.some(
    ({ name, live, twin }) =>
      (live?.type === 'lines' && nameInMode('LIVE', name) === exchangeName) ||
      (twin?.type === 'lines' && nameInMode('TEST', name) === exchangeName),
  );
}

/** All that is followed in a mode, by name. */
export type Followed = {
  /** The default one first. */
  readonly exchanges: readonly ExchangeName[];
  readonly instruments: readonly InstrumentName[];
};

export function followedIn(mode: Mode, configured: readonly ConfiguredExchange[]): Followed {
  const followed = configured.filter((exchange) => isFollowedIn(mode, exchange));
  return {
    exchanges: followed.map(({ name }) => nameInMode(mode, name)),
    instruments: followed.flatMap((exchange) => instrumentsIn(mode, exchange)),
  };
}

/** The exchanges of a mode, with where they are; `simulator` is what TEST mode works on. */
export function exchangesOf(
  mode: Mode,
  configured: readonly ConfiguredExchange[],
  simulator: SimulatorAddress | undefined,
): readonly FollowedExchange[] {
  return configured.flatMap((exchange): FollowedExchange[] => {
    const source = mode === 'LIVE' ? exchange.live : twinOf(exchange, simulator);
    if (source === undefined) return [];
    const { name, symbols } = exchange;
    const instruments = instrumentsIn(mode, exchange);
    return [{ exchangeName: nameInMode(mode, name), symbols, instruments, source }];
  });
}

function twinOf(
  { twin }: ConfiguredExchange,
  simulator: SimulatorAddress | undefined,
): ExchangeSource | undefined {
  if (twin === undefined || simulator === undefined) return undefined;
  const { url, exchangePorts } = simulator;
  if (twin.type === 'webSocket') {
    // It speaks Binance's protocol, WebSocket and REST on one port.
    const webSocketBaseUrl = url.replace(/^http/u, 'ws');
    return { type: 'webSocket', exchange: binance, webSocketBaseUrl, restBaseUrl: url };
  }
  const port = exchangePorts[twin.number - 1];
  if (port === undefined) return undefined;
  const host = new URL(url).hostname.replace(/^\[|\]$/gu, '');
  return { type: 'lines', address: { host, port } };
}

function instrumentsIn(
  mode: Mode,
  { name, instrumentSymbols }: ConfiguredExchange,
): readonly InstrumentName[] {
  return instrumentSymbols.map((symbol) => instrumentName(nameInMode(mode, name), symbol));
}
