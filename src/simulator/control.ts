import { Refusal } from '../domain/refusal.ts';
import type { Broadcast } from './broadcast.ts';
import { readInjected } from './injected-frame.ts';
import type { SimulatedMarket } from './simulated-market.ts';
import { streamOf } from './stream.ts';
import type { Subscribers } from './subscribers.ts';
import { isSymbol } from './symbol-profile.ts';

/** What a control request acts on. */
export type Controlled = {
  readonly market: SimulatedMarket;
  readonly broadcast: Broadcast;
  readonly subscribers: Subscribers;
};

type Body = Readonly<Record<string, unknown>>;
type Action = (body: Body, controlled: Controlled) => unknown;

/** Everything that can be asked for, by the name in `action`. */
const actions: ReadonlyMap<string, Action> = new Map([
  ['inject', inject],
  ['resume', resume],
]);

/** Frames in one request. */
const maxFrames = 10_000;

/** What `GET /control` answers: symbols that are paused, connections that listen to any stream. */
export function controlState({ market, subscribers }: Controlled): unknown {
  return { paused: market.paused(), listening: subscribers.all().size };
}

/**
 * Does what a control request asks for and says what was done.
 * @throws Refusal naming the field that is wrong and what was expected
 */
export function control(text: string, controlled: Controlled): unknown {
  const body = parseBody(text);
  const name = body['action'];
  const action = typeof name === 'string' ? actions.get(name) : undefined;
  if (action === undefined) {
    throw invalid('action', `one of ${[...actions.keys()].join(', ')}`, name);
  }
  return action(body, controlled);
}

/** Pauses a symbol's random market and sends these payloads, just as they are, in its place. */
function inject(body: Body, { market, broadcast }: Controlled): unknown {
  const symbol = readSymbol(body);
  const frames = readFrames(body);
  const { tape, board } = market.symbol(symbol);
  const now = broadcast.sendDue();
  tape.pause(now);
  board.pause(now);
  let delivered = 0;
  for (const frame of frames) {
    const { payload, kind, trade, quote } = readInjected(frame);
    if (trade !== undefined) tape.inject(trade, now);
    if (quote !== undefined) board.inject(quote);
    delivered +=
      kind === undefined
        ? broadcast.sendToSymbol(symbol, payload)
        : broadcast.sendNow(streamOf(symbol, kind).name, payload);
  }
  return { symbol, paused: true, frames: frames.length, delivered };
}

/** Lets a symbol's random market go on. */
function resume(body: Body, { market, broadcast }: Controlled): unknown {
  const symbol = readSymbol(body);
  const { tape, board } = market.symbol(symbol);
  const now = broadcast.sendDue();
  tape.resume(now);
  board.resume(now);
  return { symbol, paused: false };
}

function parseBody(text: string): Body {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refusal('invalid', 'body: expected JSON like {"action":"inject","symbol":"BNBUSDT"}');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid('body', 'an object', body);
  }
  return body as Record<string, unknown>;
}

function readSymbol({ symbol }: Body): string {
  if (typeof symbol === 'string' && isSymbol(symbol)) return symbol;
  throw invalid('symbol', 'a symbol in upper case like BNBUSDT', symbol);
}

function readFrames({ frames }: Body): readonly (object | string)[] {
  if (!Array.isArray(frames)) throw invalid('frames', 'a list of payloads', frames);
  if (frames.length > maxFrames) {
    throw new Refusal('invalid', `frames: expected at most ${maxFrames}, got ${frames.length}`);
  }
  return frames.map((frame: unknown, index) => {
    if (typeof frame === 'string') return frame;
    if (typeof frame === 'object' && frame !== null && !Array.isArray(frame)) return frame;
    throw invalid(`frames[${index}]`, 'an object or a string', frame);
  });
}

function invalid(field: string, expected: string, got: unknown): Refusal {
  const shown = got === undefined ? 'nothing' : JSON.stringify(got).slice(0, 80);
  return new Refusal('invalid', `${field}: expected ${expected}, got ${shown}`);
}
