import { Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import {
  Health,
  HealthCheckResponse_ServingStatus,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import type { Listener } from '../../../src/rpc/listener.ts';
import { openTestListener } from '../../support/test-listener.ts';

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;
const system = 'tradewind.system.v1.SystemService';

const clientOf = ({ url }: Listener) => createClient(Health, createGrpcTransport({ baseUrl: url }));

test('the server and each of its services are serving from the start', async () => {
  await using listener = await openTestListener();
  const health = clientOf(listener);
  for (const service of ['', system, 'tradewind.market.v1.MarketService']) {
    expect((await health.check({ service })).status).toBe(SERVING);
  }
});

test('a service that is not known is NOT_FOUND', async () => {
  await using listener = await openTestListener();
  await expect(clientOf(listener).check({ service: 'nothing' })).rejects.toMatchObject({
    code: Code.NotFound,
  });
});

test('all are listed', async () => {
  await using listener = await openTestListener();
  listener.health.set(system, false);
  const { statuses } = await clientOf(listener).list({});
  expect(statuses['']?.status).toBe(SERVING);
  expect(statuses[system]?.status).toBe(NOT_SERVING);
});

test('a watcher is told the status and its changes', async () => {
  await using listener = await openTestListener();
  const statuses: unknown[] = [];
  for await (const { status } of clientOf(listener).watch({ service: system })) {
    statuses.push(status);
    if (statuses.length === 1) listener.health.set(system, false);
    if (statuses.length === 2) listener.health.set(system, true);
    if (statuses.length === 3) break;
  }
  expect(statuses).toEqual([SERVING, NOT_SERVING, SERVING]);
});

test('a watcher of a service that is not known is told when it is', async () => {
  await using listener = await openTestListener();
  const statuses: unknown[] = [];
  for await (const { status } of clientOf(listener).watch({ service: 'later' })) {
    statuses.push(status);
    if (statuses.length === 1) listener.health.set('later', true);
    if (statuses.length === 2) break;
  }
  expect(statuses).toEqual([SERVICE_UNKNOWN, SERVING]);
});

test('a watcher is told that the server stops before its stream ends', async () => {
  const listener = await openTestListener();
  const statuses: unknown[] = [];
  const watching = (async () => {
    for await (const { status } of clientOf(listener).watch({})) {
      statuses.push(status);
      if (statuses.length === 1) void listener.shutdown(10_000);
    }
  })();
  await expect(watching).rejects.toMatchObject({ code: Code.Unavailable });
  expect(statuses).toEqual([SERVING, NOT_SERVING]);
});
