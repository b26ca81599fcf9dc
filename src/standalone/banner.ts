import { styleText } from 'node:util';
import type { Addresses } from '../base/addresses.ts';
import { version } from '../base/program.ts';

/** What `npm start` says when everything is up: where it is, and what to try. */
export function banner(addresses: Addresses, mode: 'TEST' | 'LIVE'): string {
  const market = mode === 'TEST' ? 'a simulated market' : 'the real exchanges';
  const other = mode === 'TEST' ? 'live' : 'test';
  return [
    '',
    bold(`Tradewind ${version} is up, on ${market}`),
    '',
    ...addressLines(addresses),
    '',
    'Try, in another terminal:',
    '  npm run --silent tradewind -- candles BTCUSDT --timeframe 1s --follow',
    `  curl ${addresses.server}/prices/latest/BTCUSDT`,
    '  npm run --silent sql -- "select count(*) from candle"',
    `  npm run --silent tradewind -- mode ${other}`,
    '',
    'Ctrl-C ends all of it; the data is kept.',
    '',
  ].join('\n');
}

export function addressLines(addresses: Addresses): string[] {
  return [
    `  server     ${bold(addresses.server)}  (gRPC, gRPC-Web, Connect, plain HTTP)`,
    ...(addresses.simulator === undefined ? [] : [`  simulator  ${bold(addresses.simulator)}`]),
    `  Postgres   ${bold(addresses.database)}`,
  ];
}

function bold(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}
