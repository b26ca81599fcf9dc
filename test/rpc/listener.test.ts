import { createClient } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import type { Listener } from '../../src/rpc/listener.ts';
import { collect } from '../support/collect.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { openTestListener } from '../support/test-listener.ts';
import { testTransports } from '../support/test-transports.ts';

describe.each(['cleartext', 'TLS'] as const)('the %s port', (kind) => {
  let listener: Listener;
  const ca = kind === 'TLS' ? testCertificate.ca : undefined;

  beforeAll(async () => {
    listener = await openTestListener({ tls: kind === 'TLS' ? testCertificate : undefined });
  });
  afterAll(() => listener[Symbol.asyncDispose]());

  test.each(testTransports)('answers %s', async (_name, open) => {
    const transport = open(listener.url, ca === undefined ? {} : { ca });

    const info = await createClient(SystemService, transport).getServerInfo({});
    expect(info.version).toBe('1.2.3');

    const trades = createClient(MarketService, transport).streamTrades({
      instruments: ['a:B', 'a:C'],
    });
    const instruments = (await collect(trades)).map(({ event }) =>
      event.case === 'trade' ? event.value.instrument : event.case,
    );
    expect(instruments).toEqual(['a:B', 'a:C']);
  });
});
