import { url, words } from '../base/env.ts';
import type { Environment, Settings, SettingValues } from '../base/env.ts';
import { binance } from '../exchange/binance.ts';
import { coinbase } from '../exchange/coinbase.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { jsonLinesSymbols } from '../exchange/json-lines.ts';
import { kraken } from '../exchange/kraken.ts';
import type { ConfiguredExchange } from './configured-exchange.ts';
import { lineExchangeNumbers, lineExchangeSettings } from './line-exchange-settings.ts';
import type { modeSettings } from './mode-settings.ts';

/** Longer than any: names of rows, streams and files are made of them. */
const maximumSymbolBytes = 64;
/** What one mode's instruments, times timeframes, may cost in memory. */
const maximumInstruments = 500;

/** Symbols of exchanges that spell them with a separator, BTC-USD or BTC/USD, or without. */
const pairs = () =>
  words([]).refine(
    (symbols) => symbols.every(isPair),
    `expected pairs like BTC-USD, at most ${maximumSymbolBytes} bytes each`,
  );

const symbols = (fallback: readonly string[]) =>
  words(fallback).refine(
    (all) => all.every(isSymbol),
    `expected letters and digits, like BTCUSDT, at most ${maximumSymbolBytes} bytes each`,
  );

/** The exchanges, where they are in LIVE mode, and what is followed on each. */
export const exchangeSettings = {
  BINANCE_WEBSOCKET_BASE_URL: {
    schema: url(['ws', 'wss'], binance.addresses.webSocketBaseUrl),
    description: 'Where Binance streams market data, in LIVE mode',
  },
  BINANCE_REST_BASE_URL: {
    schema: url(['http', 'https'], binance.addresses.restBaseUrl),
    description: 'Where Binance answers questions on market data, in LIVE mode',
  },
  BINANCE_SYMBOLS: {
    schema: symbols(['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']),
    description:
      'The symbols to follow, separated by spaces; at most 500 over all exchanges. Where they are not set and another exchange is, Binance is not followed',
  },
  COINBASE_WEBSOCKET_BASE_URL: {
    schema: url(['ws', 'wss'], coinbase.addresses.webSocketBaseUrl),
    description: 'Where Coinbase streams market data, in LIVE mode',
  },
  COINBASE_REST_BASE_URL: {
    schema: url(['http', 'https'], coinbase.addresses.restBaseUrl),
    description: 'Where Coinbase answers questions on market data, in LIVE mode',
  },
  COINBASE_SYMBOLS: {
    schema: pairs(),
    description: 'The pairs to follow on Coinbase, like BTC-USD; none: it is not followed',
  },
  KRAKEN_WEBSOCKET_BASE_URL: {
    schema: url(['ws', 'wss'], kraken.addresses.webSocketBaseUrl),
    description: 'Where Kraken streams market data, in LIVE mode',
  },
  KRAKEN_REST_BASE_URL: {
    schema: url(['http', 'https'], kraken.addresses.restBaseUrl),
    description: 'Where Kraken answers questions on market data, in LIVE mode',
  },
  KRAKEN_SYMBOLS: {
    schema: pairs(),
    description: 'The pairs to follow on Kraken, like BTC/USD; none: it is not followed',
  },
  ...lineExchangeSettings,
  EXCHANGE_SYMBOLS: {
    schema: symbols(jsonLinesSymbols),
    description: 'The symbols to follow on each exchange of JSON lines',
  },
} satisfies Settings;

type ExchangeValues = SettingValues<typeof exchangeSettings & typeof modeSettings>;

/**
 * The exchanges that are configured, the default one first.
 * @param environment says what is set, whatever it is
 */
export function configuredExchanges(
  values: ExchangeValues,
  environment: Environment,
): readonly ConfiguredExchange[] {
  const others = [
    webSocketExchange(coinbase, values.COINBASE_SYMBOLS, {
      webSocketBaseUrl: values.COINBASE_WEBSOCKET_BASE_URL,
      restBaseUrl: values.COINBASE_REST_BASE_URL,
    }),
    webSocketExchange(kraken, values.KRAKEN_SYMBOLS, {
      webSocketBaseUrl: values.KRAKEN_WEBSOCKET_BASE_URL,
      restBaseUrl: values.KRAKEN_REST_BASE_URL,
    }),
    ...lineExchanges(values, environment),
  ].filter(({ symbols }) => symbols.length > 0);
  if (!isSet(environment, 'BINANCE_SYMBOLS') && others.length > 0) return others;
  const first = webSocketExchange(binance, values.BINANCE_SYMBOLS, {
    webSocketBaseUrl: values.BINANCE_WEBSOCKET_BASE_URL,
    restBaseUrl: values.BINANCE_REST_BASE_URL,
  });
  return [{ ...first, twin: { type: 'webSocket' } }, ...others];
}

/** What is wrong with them together, a line each. */
export function exchangeProblems(exchanges: readonly ConfiguredExchange[]): readonly string[] {
  const count = exchanges.reduce((sum, { instrumentSymbols }) => sum + instrumentSymbols.length, 0);
  const problems: string[] = [];
  if (count === 0 || count > maximumInstruments) {
    problems.push(
      `BINANCE_SYMBOLS, COINBASE_SYMBOLS, KRAKEN_SYMBOLS, EXCHANGE_SYMBOLS: expected 1 to ${maximumInstruments} symbols over all exchanges, got ${count}`,
    );
  }
  const names = exchanges.map(({ name }) => name);
  for (const name of new Set(names.filter((one, index) => names.indexOf(one) !== index))) {
    problems.push(`EXCHANGE1_NAME …: expected names that differ, got ${name} twice`);
  }
  return problems;
}

function webSocketExchange(
  exchange: Exchange,
  typed: readonly string[],
  addresses: Readonly<Record<'webSocketBaseUrl' | 'restBaseUrl', string | undefined>>,
): ConfiguredExchange {
  const { webSocketBaseUrl = '', restBaseUrl = '' } = addresses;
  return {
    name: exchange.protocol,
    symbols: typed,
    instrumentSymbols: [...new Set(typed.map((one) => exchange.symbolOf(one)))],
    live: { type: 'webSocket', exchange, webSocketBaseUrl, restBaseUrl },
    twin: undefined,
  };
}

/** Those of TCP ports; where the simulator's ports are set, their twins are followed whatever else is. */
function lineExchanges(values: ExchangeValues, environment: Environment): ConfiguredExchange[] {
  const { SIMULATOR_EXCHANGE_PORTS: ports, SIMULATOR_URL: url } = values;
  const simulated = isSet(environment, 'SIMULATOR_EXCHANGE_PORTS') ? ports.length : 0;
  return lineExchangeNumbers.flatMap((number): ConfiguredExchange[] => {
    const port = values[`EXCHANGE${number}_PORT`];
    if (port === 0 && number > simulated) return [];
    const host = values[`EXCHANGE${number}_HOST`] ?? '';
    return [
      {
        name: values[`EXCHANGE${number}_NAME`] ?? `exchange${number}`,
        symbols: values.EXCHANGE_SYMBOLS,
        instrumentSymbols: [...new Set(values.EXCHANGE_SYMBOLS)],
        live: port === 0 ? undefined : { type: 'lines', address: { host, port } },
        // One that runs already has so many; one of our own has as many as are needed.
        twin: url === undefined || number <= ports.length ? { type: 'lines', number } : undefined,
      },
    ];
  });
}

function isSet(environment: Environment, key: string): boolean {
  return (environment[key] ?? '') !== '';
}

/** There are symbols of Chinese letters; a separator would be somebody's else. */
function isSymbol(one: string): boolean {
  return /^[\p{L}\p{N}]+$/u.test(one) && Buffer.byteLength(one) <= maximumSymbolBytes;
}

function isPair(one: string): boolean {
  return (
    /^[\p{L}\p{N}.]+(?:[-/_][\p{L}\p{N}.]+)?$/u.test(one) &&
    Buffer.byteLength(one) <= maximumSymbolBytes
  );
}
