import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '@connectrpc/connect';
import { Timeframe } from '../../gen/tradewind/market/v1/candle_pb.ts';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { StreamCandlesResponse } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { eventually } from '../support/eventually.ts';
import { testTransports } from '../support/test-transports.ts';
import { expectSound, expectWhole } from './expectations.ts';
import { aFaultyLine } from './faulty-line.ts';
import { openSlowReader } from './slow-reader.ts';

test.each([
  ['S1 a subscriber that reads nothing', 0],
  ['S2 a subscriber that reads a byte at a time', 1],
])('%s is cut off, and the others have all', async (_, bytesAtOnce) => {
  const line = await aFaultyLine({ environment: { MAX_READER_BYTES: '65536' } });
  const reader = openSlowReader(line.server.url, bytesAtOnce);
  onTestFinished(() => reader[Symbol.dispose]());
  const readers = () => line.metric('tradewind_stream_readers');
  await eventually(async () => expect(await readers()).toBe(3));
  await eventually(async () => expect(await readers()).toBe(2), 60_000);
  await expectWhole(line);
});

test('S6 subscribers that vanish in many ways leave nothing behind', async () => {
  const line = await aFaultyLine();
  const readers = () => line.metric('tradewind_stream_readers');
  const clients = Array.from({ length: 50 }, () => openSlowReader(line.server.url, 65_536));
  await eventually(async () => expect(await readers()).toBe(52));
  for (const [index, client] of clients.entries()) {
    if (index % 2 === 0) client.vanish();
    else client.stream.close();
  }
  await eventually(async () => expect(await readers()).toBe(2));
  await expectWhole(line);
  for (const client of clients) client.vanish();
});

test('S9 the same stream comes over every protocol', async () => {
  const line = await aFaultyLine();
  const { server } = line;
  const selections = [{ instrument: 'sim-binance:BTCUSDT', timeframe: Timeframe.S1 }];
  const closing = new AbortController();
  const streams = testTransports
    .filter(([name]) => !name.includes('GET'))
    .map(([name, open]) => {
      const client = createClient(MarketService, open(server.url));
      const elements: StreamCandlesResponse[] = [];
      const reading = (async () => {
        for await (const element of client.streamCandles({ selections }, closing)) {
          elements.push(element);
        }
      })().catch(() => {});
      return { name, elements, reading };
    });
  await line.control('drop', { symbol: 'BTCUSDT', count: 20 });
  const isGap = ({ event }: StreamCandlesResponse) => event.case === 'gap';
  for (const { elements } of streams) await eventually(() => elements.filter(isGap).length >= 2);
  await expectWhole(line);
  closing.abort();
  await Promise.all(streams.map(({ reading }) => reading));
  // From the first gap on, which all have seen, for as long as all were there.
  const told = streams.map(({ elements }) =>
    elements
      .slice(elements.findIndex(isGap))
      .map(({ event, cursor }) => `${event.case} ${cursor}`)
      .filter((element) => !element.startsWith('heartbeat')),
  );
  const length = Math.min(...told.map((elements) => elements.length));
  expect(length).toBeGreaterThan(3);
  for (const [index, elements] of told.entries()) {
    expect(elements.slice(0, length), streams[index]?.name).toEqual(told[0]?.slice(0, length));
  }
});

test('S10 a stream without news has a heartbeat within 15 s', async () => {
  const line = await aFaultyLine({ symbols: ['LTCBTC'] });
  const selections = [{ instrument: 'sim-binance:LTCBTC', timeframe: Timeframe.H1 }];
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  const begun = line.clock.now();
  for await (const { event } of line.client.streamCandles({ selections }, closing)) {
    if (event.case === 'heartbeat') break;
  }
  // Some of it is the way of the answer, at 25 times its time.
  expect(line.clock.now() - begun).toBeLessThan(25_000_000);
  await expectSound(line);
});
