import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import { PositionService } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import type { Position } from '../../../src/domain/position.ts';
import { emptyPosition } from '../../../src/domain/position.ts';
import { InstrumentDirectory } from '../../../src/rpc/instrument-directory.ts';
import { PositionMarks } from '../../../src/rpc/position/position-marks.ts';
import { PositionStream } from '../../../src/rpc/position/position-stream.ts';
import type { LogEntry } from '../../../src/store/order/log-reader.ts';
import type { LogListener } from '../../../src/store/order/log-tail.ts';
import { eventually } from '../../support/eventually.ts';
import { followPositions, positionInShort } from '../../support/position-stream.ts';
import { openTestListener } from '../../support/test-listener.ts';
import { TwinClock } from '../../support/twin-clock.ts';

/** A log of which this server has seen less than another one. */
class TwinTail {
  position = 0;
  readonly #log: LogEntry[] = [];
  #listener: LogListener = () => {};

  constructor(...instruments: readonly string[]) {
    for (const [index, instrument] of instruments.entries()) {
      const earliest = { executedTime: 0, source: 'rpc', sourceId: 'a' };
      const name = { account: 'default', instrument };
      const position = index + 1;
      this.#log.push({ type: 'position', position, ...name, earliest, executionCount: 1 });
    }
  }

  subscribe(listener: LogListener): Disposable {
    this.#listener = listener;
    return { [Symbol.dispose]: () => {} };
  }

  async readAfter(position: number, limit: number): Promise<readonly LogEntry[]> {
    return this.#log.filter((entry) => entry.position > position).slice(0, limit);
  }

  handOut(until: number): void {
    const entries = this.#log.filter(
      ({ position }) => position > this.position && position <= until,
    );
    this.position = until;
    this.#listener(entries);
  }
}

const position = (instrument: string): Position => ({
  ...emptyPosition,
  account: 'default',
  instrument,
  executionCount: 1,
  asOf: 0,
  lastExecutedTime: 0,
});

test('who comes back from a server that was ahead is not told again of what it has', async () => {
  const clock = new TwinClock();
  const tail = new TwinTail('external:1', 'external:2', 'external:3', 'external:4');
  const stream = new PositionStream({
    tail,
    reader: {
      position: async ({ instrument }) => position(instrument),
      positions: async () => ['external:1', 'external:2', 'external:3'].map(position),
    },
    marks: new PositionMarks({ bookTicker: () => undefined, clock }),
    directory: new InstrumentDirectory([], 'binance'),
    clock,
    logger: silentLogger,
  });
  await using listener = await openTestListener({
    routes: (router) =>
      router.service(PositionService, {
        streamPositions: (request, context) => stream.stream(request, context),
      }),
  });
  using _stream = stream;
  const client = createClient(PositionService, createGrpcTransport({ baseUrl: listener.url }));
  tail.handOut(1);
  await using reader = followPositions(client, { resumeAfter: 'p1.3' });
  expect((await reader.snapshot()).map(positionInShort)).toEqual(['snapshotEnd']);
  await eventually(() => stream.statistics.readers === 1);
  tail.handOut(3);
  tail.handOut(4);
  expect(positionInShort(await reader.next())).toBe('external:4 0 (1)');
});
