import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { LagSummary } from './lag-counts.ts';

/** What the readers' process says of itself. */
export type ReadersReport = {
  /** Messages of all streams so far, snapshots included. */
  readonly received: number;
  /** Streams that have ended. */
  readonly ended: number;
  /** Of the messages since the last report. */
  readonly lags: LagSummary;
  readonly cpuMicros: number;
};

export type ReaderCrowd = Disposable & {
  readonly count: number;
  readonly report: () => Promise<ReadersReport>;
  /** Waits until all streams together have got so many messages. */
  readonly received: (messages: number) => Promise<void>;
};

/** Readers of StreamTrades in a process of their own; see stream-readers.ts. */
export async function openReaders(
  port: number,
  crowd: {
    readonly connections: number;
    readonly streamsPerConnection: number;
    readonly instruments?: readonly string[];
  },
): Promise<ReaderCrowd> {
  const { connections, streamsPerConnection, instruments = [] } = crowd;
  const child = fork(`${import.meta.dirname}/stream-readers.ts`, [
    ...[port, connections, streamsPerConnection].map(String),
    ...instruments,
  ]);
  const exited = once(child, 'exit').then(() => {
    throw new Error('Expected the readers to stay');
  });
  exited.catch(() => {});
  const report = async (): Promise<ReadersReport> => {
    child.send('report');
    const [answer] = await Promise.race([once(child, 'message'), exited]);
    return answer;
  };
  return {
    count: connections * streamsPerConnection,
    report,
    received: async (messages) => {
      while ((await report()).received < messages) await setTimeout(2);
    },
    [Symbol.dispose]: () => void child.kill(),
  };
}
