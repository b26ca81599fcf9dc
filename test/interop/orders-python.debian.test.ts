import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runTool } from '../support/run-tool.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { openOrderServer } from './order-server.ts';
import type { SimulatedServer } from './simulated-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let server: SimulatedServer;

beforeAll(async () => {
  server = await openOrderServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test('a Python client generated from proto/ places orders and follows them to their end', async () => {
  const generated = temporaryDirectory();
  const protoc = await runTool(
    'protoc',
    [
      '--proto_path=proto',
      '--proto_path=third_party',
      `--python_out=${generated}`,
      `--grpc_python_out=${generated}`,
      '--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin',
      'buf/validate/validate.proto',
      'google/api/annotations.proto',
      'google/api/http.proto',
      'tradewind/order/v1/order.proto',
      'tradewind/order/v1/order_service.proto',
    ],
    { cwd: root, env: { PATH: '/usr/bin:/bin' } },
  );
  expect(protoc).toMatchObject({ exitCode: 0, stderr: '' });
  const client = fileURLToPath(new URL('python/orders.py', import.meta.url));
  const { exitCode, stdout, stderr } = await runTool('/usr/bin/python3', [client, server.address], {
    env: { PYTHONPATH: generated, PYTHONDONTWRITEBYTECODE: '1' },
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    expired: ['expired'],
    filled: { status: 'ORDER_STATUS_FILLED', filled: '0.001', splits: true },
    again: true,
    canceled: ['ORDER_STATUS_CANCELED'],
    refused: ['INVALID_ARGUMENT', 'quantity: expected a decimal above 0, got 0'],
  });
});
