import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runTool } from '../support/run-tool.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { openSimulatedServer } from './simulated-server.ts';
import type { SimulatedServer } from './simulated-server.ts';

/** Debian's, which has Debian's grpcio; another one may come first in the PATH. */
const python = '/usr/bin/python3';
const root = fileURLToPath(new URL('../..', import.meta.url));

let server: SimulatedServer;

beforeAll(async () => {
  server = await openSimulatedServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test('a Python client generated from proto/ lists, streams and reads errors', async () => {
  const generated = temporaryDirectory();
  await generateClient(generated);
  const client = fileURLToPath(new URL('python/client.py', import.meta.url));
  const { exitCode, stdout, stderr } = await runTool(python, [client, server.address], {
    env: { PYTHONPATH: generated, PYTHONDONTWRITEBYTECODE: '1' },
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const candle = { instrument: 'sim-binance:BTCUSDT', closed: true, seconds: 1 };
  expect(JSON.parse(stdout)).toEqual({
    mode: 'MODE_TEST',
    instruments: ['sim-binance:BTCUSDT', 'sim-binance:ETHUSDT'],
    candles: [candle, candle],
    not_found: {
      code: 'NOT_FOUND',
      message: expect.stringContaining('nowhere'),
      violations: [],
    },
    invalid: {
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('selections'),
      violations: ['selections'],
    },
    deadline: { code: 'DEADLINE_EXCEEDED', message: expect.any(String), violations: [] },
  });
});

/** Generates messages and stubs into `directory`, as the README tells a Python user to. */
async function generateClient(directory: string): Promise<void> {
  const { exitCode, stderr } = await runTool(
    'protoc',
    [
      '--proto_path=proto',
      '--proto_path=third_party',
      '--proto_path=test/interop',
      `--python_out=${directory}`,
      `--grpc_python_out=${directory}`,
      '--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin',
      'buf/validate/validate.proto',
      'google/api/annotations.proto',
      'google/api/http.proto',
      'google_rpc_status.proto',
      'tradewind/market/v1/book_ticker.proto',
      'tradewind/market/v1/candle.proto',
      'tradewind/market/v1/market_service.proto',
      'tradewind/market/v1/trade.proto',
      'tradewind/system/v1/system_service.proto',
    ],
    { cwd: root, env: { PATH: '/usr/bin:/bin' } },
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
}
