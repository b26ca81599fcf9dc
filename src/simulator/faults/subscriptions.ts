import { choiceField, optional, readFields, symbolField, withDefault } from '../control-fields.ts';
import type { Action } from '../controlled.ts';
import { streamKinds } from '../stream.ts';
import type { Stream, StreamKind } from '../stream.ts';
import { boundFields } from './bound.ts';
import type { Bound } from './bound.ts';
import type { Fault, IgnoredSubscription } from './fault.ts';

const answers = ['ok', 'none', 'error'] as const;

const which = {
  symbol: optional(symbolField),
  stream: optional(choiceField(streamKinds)),
};

type Which = {
  readonly symbol: string | undefined;
  readonly stream: StreamKind | undefined;
};

/** Does not do what SUBSCRIBE or a URL asks for. */
export const ignoreSubscriptions: Action = (body, { faults }) => {
  const fields = { ...which, ...boundFields, answer: withDefault(choiceField(answers), 'ok') };
  const { symbol, stream, answer, ...limits } = readFields(body, fields);
  return faults.begin(new IgnoreSubscriptions({ symbol, stream }, answer, faults.bound(limits)));
};

/** Takes a symbol's streams from the connections that are open now, without a word. */
export const loseSubscription: Action = (body, { broadcast, connections }) => {
  const { symbol, stream } = readFields(body, { ...which, symbol: symbolField });
  broadcast.sendDue();
  let lost = 0;
  for (const connection of connections) {
    for (const each of connection.streams.values()) {
      if (!isMeant(each, { symbol, stream })) continue;
      connection.unsubscribe(each.name);
      lost += 1;
    }
  }
  return { symbol, lost };
};

function isMeant(each: Stream, { symbol, stream }: Which): boolean {
  return (
    (symbol === undefined || symbol === each.symbol) &&
    (stream === undefined || stream === each.kind)
  );
}

class IgnoreSubscriptions implements Fault {
  readonly action = 'ignoreSubscriptions';
  readonly bound: Bound;
  readonly #which: Which;
  readonly #answer: IgnoredSubscription['answer'];

  constructor(which: Which, answer: IgnoredSubscription['answer'], bound: Bound) {
    this.#which = which;
    this.#answer = answer;
    this.bound = bound;
  }

  get symbol(): string | undefined {
    return this.#which.symbol;
  }

  shown(): Readonly<Record<string, unknown>> {
    return { ...this.#which, answer: this.#answer };
  }

  subscription(streams: readonly Stream[]): IgnoredSubscription | undefined {
    const isIgnored = (stream: Stream) => isMeant(stream, this.#which);
    if (!streams.some(isIgnored) || !this.bound.take()) return undefined;
    return { answer: this.#answer, isIgnored };
  }
}
