import type { OrderClient } from '../../rpc/client.ts';
import { requestTimeoutMs } from '../list-candles.ts';
import { writeLines } from '../write-lines.ts';
import { timeOf } from './order-printer.ts';

type HaltWish = {
  readonly account: string;
  readonly everything?: true;
  readonly reason: string;
};

/** Halts or resumes, and tells what is halted then. @throws ConnectError */
export async function changeHalts(
  orders: OrderClient,
  change: 'halt' | 'resume',
  { account, everything, reason }: HaltWish,
): Promise<void> {
  const scope =
    everything === true
      ? { case: 'everything' as const, value: true }
      : { case: 'account' as const, value: account };
  const timeout = { timeoutMs: requestTimeoutMs };
  const { halts } =
    change === 'halt'
      ? await orders.haltTrading({ scope, reason }, timeout)
      : await orders.resumeTrading({ scope }, timeout);
  const lines = halts.map((halt) => {
    const whose = halt.account === '' ? 'everything' : `account ${halt.account}`;
    return `Halted: ${whose}, since ${timeOf(halt.time)}${halt.reason === '' ? '' : `: ${halt.reason}`}`;
  });
  await writeLines(process.stdout, lines.length === 0 ? ['Nothing is halted'] : lines);
}
