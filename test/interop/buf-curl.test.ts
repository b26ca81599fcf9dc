import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installedTool, runTool } from '../support/run-tool.ts';
import type { ToolOptions, ToolResult } from '../support/run-tool.ts';
import { openSimulatedServer } from './simulated-server.ts';
import type { SimulatedServer } from './simulated-server.ts';

const h2c = '--http2-prior-knowledge';
const market = 'tradewind.market.v1.MarketService';

let server: SimulatedServer;

beforeAll(async () => {
  server = await openSimulatedServer();
});
afterAll(() => server[Symbol.asyncDispose]());

// Nothing is known but the address: buf asks for the contract by reflection, which needs HTTP/2.
describe.each([
  ['grpc', 'grpc-v1'],
  ['grpc', 'grpc-v1alpha'],
  ['grpcweb', 'grpc-v1'],
  ['grpcweb', 'grpc-v1alpha'],
  ['connect', 'grpc-v1'],
  ['connect', 'grpc-v1alpha'],
])('over %s with reflection %s', (protocol, reflection) => {
  const flags = [h2c, '--protocol', protocol, '--reflect-protocol', reflection];

  test('the services are listed', async () => {
    const { stdout, stderr } = await curl([...flags, '--list-services', server.url]);
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'aggregator.AggregatorService',
        'grpc.health.v1.Health',
        'tradewind.market.v1.MarketService',
        'tradewind.system.v1.SystemService',
      ]),
    );
  });

  test('a candle is streamed', async () => {
    const selections = [{ instrument: 'BTCUSDT', timeframe: 'TIMEFRAME_S1' }];
    const { stdout } = await call(`${market}/StreamCandles`, { selections }, flags, {
      isEnough: (text) => text.includes('"closed": true') && text.includes('"snapshotEnd"'),
    });
    expect(stdout).toContain('"closed": true');
    expect(stdout).toContain('"instrument": "sim-binance:BTCUSDT"');
    expect(stdout).toContain('"snapshotEnd": {}');
  });

  test('what is wrong with a request is told, with its details', async () => {
    const { exitCode, stderr } = await call(`${market}/ListCandles`, { instrument: 'X' }, flags);
    expect(exitCode).toBe(8 * invalidArgument);
    expect(JSON.parse(stderr)).toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('timeframe'),
      details: [{ type: 'buf.validate.Violations' }],
    });
  });
});

// With the contract at hand, HTTP/1.1 is enough.
test.each(['grpcweb', 'connect'])('%s over HTTP/1.1 streams a candle', async (protocol) => {
  const { stdout } = await call(
    `${market}/StreamCandles`,
    { selections: [{ instrument: 'BTCUSDT', timeframe: 'TIMEFRAME_S1' }] },
    ['--protocol', protocol, '--schema', '.'],
    { isEnough: (text) => text.includes('"closed": true') },
  );
  expect(stdout).toContain('"instrument": "sim-binance:BTCUSDT"');
});

/** The status code; buf's exit code is eight times it. */
const invalidArgument = 3;

function call(
  path: string,
  request: object,
  flags: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  const url = `${server.url}/${path}`;
  return curl([...flags, '--data', JSON.stringify(request), url], options);
}

function curl(args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  return runTool(installedTool('buf'), ['curl', ...args], options);
}
