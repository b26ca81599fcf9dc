import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { choosePort } from '../../src/base/choose-port.ts';

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1');

async function occupy(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('the wanted port is taken when it is free', async () => {
  const port = await choosePort(0, new Set());
  expect(await choosePort(port, new Set())).toBe(port);
});

test.each(['127.0.0.1', '0.0.0.0', ...(hasIpv6 ? ['::1', '::'] : [])])(
  'another one is taken when somebody listens at %s',
  async (host) => {
    const taken = await occupy(host);
    const port = await choosePort(taken, new Set());
    expect(port).not.toBe(taken);
    expect(port).toBeGreaterThan(1023);
  },
);

test('no port is given twice, though nobody listens there yet', async () => {
  const chosen = new Set<number>();
  const port = await choosePort(0, chosen);
  expect(await choosePort(port, chosen)).not.toBe(port);
});
