import type { Client } from '@connectrpc/connect';
import type {
  PositionService,
  StreamPositionsResponse,
} from '../../gen/tradewind/position/v1/position_service_pb.ts';

/** Reads a stream of positions element by element; disposing it ends it. */
export function followPositions(
  client: Client<typeof PositionService>,
  request: { account?: string; instruments?: string[]; resumeAfter?: string } = {},
) {
  const abort = new AbortController();
  const answers = client.streamPositions(request, { signal: abort.signal });
  const iterator = answers[Symbol.asyncIterator]();
  const next = async (): Promise<StreamPositionsResponse> => {
    const { value, done } = await iterator.next();
    if (done === true) throw new Error('Expected the stream to go on');
    return value;
  };
  const until = async (matches: (element: StreamPositionsResponse) => boolean) => {
    const elements: StreamPositionsResponse[] = [];
    for (;;) {
      const element = await next();
      elements.push(element);
      if (matches(element)) return elements;
    }
  };
  return {
    next,
    /** The elements up to and with the first one that matches. */
    until,
    /** The elements of the snapshot, and its end. */
    snapshot: () => until(({ event }) => event.case === 'snapshotEnd'),
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      await iterator.return?.().catch(() => {});
    },
  };
}

/** An element in short: "123 5 (2)" is a position of 5 made by two executions. */
export function positionInShort({ event }: StreamPositionsResponse): string {
  if (event.case === 'mark') return `${event.value.instrument} at ${event.value.markPrice}`;
  if (event.case !== 'position') return event.case ?? 'nothing';
  const { instrument, quantity, executionCount } = event.value;
  return `${instrument} ${quantity} (${executionCount})`;
}
