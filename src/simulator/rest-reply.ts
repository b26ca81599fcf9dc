import type { ServerResponse } from 'node:http';
import { sleep } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Spoiling } from './faults/spoil-rest.ts';

/** An HTTP answer, ready to be written. */
export type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
};

const html = '<html><body><h1>Under maintenance</h1></body></html>\n';

/** What is told instead of the true answer. */
export function spoiled(reply: Reply, { how, status }: Spoiling): Reply {
  const headers = { ...reply.headers, 'Content-Type': 'text/html' };
  switch (how) {
    case 'slow':
    case 'never':
    case 'cut':
      return reply;
    case 'html':
      return { status: 200, headers, text: html };
    case 'truncated':
      return { ...reply, text: reply.text.slice(0, Math.floor(reply.text.length / 2)) };
    case 'empty':
      return { ...reply, text: '' };
    case 'wrongShape':
      return { ...reply, text: '{"result":[null,"1e400",{}]}' };
    case 'error':
      return { status: status ?? 500, headers, text: html };
    default:
      return how satisfies never;
  }
}

/**
 * Writes a reply, late or only half of it where that is asked for. Delays are the simulator's clock's.
 * @throws the reason when the client leaves before the answer
 */
export async function tell(
  response: ServerResponse,
  reply: Reply,
  { clock, spoiling }: { readonly clock: Clock; readonly spoiling: Spoiling | undefined },
): Promise<void> {
  if (spoiling !== undefined && spoiling.delayMs > 0) {
    const left = new AbortController();
    response.once('close', () => left.abort());
    await sleep(clock, spoiling.delayMs, left.signal);
  }
  // The client waits until it has had enough, or the simulator ends.
  if (spoiling?.how === 'never') return;
  const { status, headers, text } = spoiling === undefined ? reply : spoiled(reply, spoiling);
  const bytes = Buffer.from(text);
  response.writeHead(status, { ...headers, 'Content-Length': bytes.length });
  if (spoiling?.how !== 'cut') {
    response.end(bytes);
    return;
  }
  const half = bytes.subarray(0, Math.floor(bytes.length / 2));
  response.write(half, () => response.destroy());
}
