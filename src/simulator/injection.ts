import { invalid, listField, readFields, symbolField } from './control-fields.ts';
import type { FieldReader } from './control-fields.ts';
import type { Action, Controlled } from './controlled.ts';
import { readInjected } from './injected-frame.ts';
import type { InjectedFrame } from './injected-frame.ts';

/** Frames in one request. */
const maxFrames = 10_000;

const frameField: FieldReader<InjectedFrame> = (value, name) => {
  if (typeof value === 'string') return readInjected(value);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return readInjected(value);
  }
  throw invalid(name, 'an object or a string', value);
};

const fields = { symbol: symbolField, frames: listField('payloads', maxFrames, frameField) };

/** Pauses a symbol's random market and sends these payloads, just as they are, in its place. */
export const inject: Action = (body, controlled) => {
  const { symbol, frames } = readFields(body, fields);
  const { tape, board } = controlled.market.symbol(symbol);
  const now = controlled.broadcast.sendDue();
  tape.pause(now);
  board.pause(now);
  let delivered = 0;
  for (const frame of frames) {
    if (frame.trade !== undefined) tape.inject(frame.trade, now);
    if (frame.quote !== undefined) board.inject(frame.quote);
    delivered += sendInjected(symbol, frame, controlled);
  }
  return { symbol, paused: true, frames: frames.length, delivered };
};

/** Sends payloads of a symbol beside its random market. REST and klines know nothing of them. */
export const send: Action = (body, controlled) => {
  const { symbol, frames } = readFields(body, fields);
  controlled.broadcast.sendDue();
  let delivered = 0;
  for (const frame of frames) delivered += sendInjected(symbol, frame, controlled);
  return { symbol, frames: frames.length, delivered };
};

/** Lets a symbol's random market go on. */
export const resume: Action = (body, { market, broadcast }) => {
  const { symbol } = readFields(body, { symbol: symbolField });
  const { tape, board } = market.symbol(symbol);
  const now = broadcast.sendDue();
  tape.resume(now);
  board.resume(now);
  return { symbol, paused: false };
};

function sendInjected(
  symbol: string,
  { payload, kind, trade }: InjectedFrame,
  { broadcast }: Controlled,
): number {
  if (kind === undefined) return broadcast.sendToSymbol(symbol, payload);
  return broadcast.sendNow({ symbol, kind, tradeId: trade?.id }, payload);
}
