import { Refusal } from '../../domain/refusal.ts';
import {
  invalid,
  integerField,
  listField,
  optional,
  readFields,
  symbolField,
} from '../control-fields.ts';
import type { FieldReader } from '../control-fields.ts';
import { connectionsOf } from '../controlled.ts';
import type { Action } from '../controlled.ts';
import { binaryFrame, fragmentedFrames, textFrame } from '../raw-frame.ts';

/** Things in one request. */
const maxFrames = 10_000;
/** Bytes of one frame: beyond the hundred million that `ws` takes when nobody tells it otherwise. */
export const maxGarbageBytes = 128 * 1024 * 1024;
const maxFragments = 1_000_000;

/** What is written to a socket, and the line that tells it in a recording. */
type Garbage = { readonly bytes: Buffer; readonly text: string | undefined };

export const base64Field: FieldReader<Buffer> = (value, name) => {
  if (typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    return Buffer.from(value, 'base64');
  }
  throw invalid(name, 'base64', value);
};

/** What an object with one of these fields stands for. */
const makers = new Map<string, FieldReader<Buffer>>([
  ['binary', (value, name) => binaryFrame(base64Field(value, name))],
  ['raw', base64Field],
  // A sound text frame of so many bytes: too long is all that is wrong with it.
  [
    'bytes',
    (value, name) => textFrame(Buffer.alloc(integerField(0, maxGarbageBytes)(value, name), ' ')),
  ],
  ['fragments', (value, name) => fragmentedFrames(integerField(1, maxFragments)(value, name))],
]);

const readGarbage: FieldReader<Garbage> = (value, name) => {
  if (typeof value === 'string') return { bytes: textFrame(Buffer.from(value)), text: value };
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const [[key, content] = ['', undefined]] = entries;
  const make = makers.get(key);
  if (entries.length === 1 && make !== undefined) {
    return { bytes: make(content, `${name}.${key}`), text: undefined };
  }
  const kinds = [...makers.keys()].join(', ');
  throw invalid(name, `a text or an object with one of ${kinds}`, value);
};

const fields = {
  symbol: optional(symbolField),
  frames: listField('texts or objects', maxFrames, readGarbage),
};

/**
 * Writes things that are no events to the connections, just as they are and not wrapped. No other
 * fault touches them.
 */
export const garbage: Action = (body, controlled) => {
  const { symbol, frames } = readFields(body, fields);
  const size = frames.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (size > 2 * maxGarbageBytes) {
    throw new Refusal(
      'invalid',
      `frames: expected at most ${2 * maxGarbageBytes} bytes, got ${size}`,
    );
  }
  controlled.broadcast.sendDue();
  const connections = connectionsOf(controlled, symbol);
  for (const { bytes, text } of frames) {
    const reached = connections.filter((connection) => connection.sendBytes(bytes));
    if (reached.length > 0) controlled.broadcast.recordGarbage(text, bytes.length);
  }
  return { connections: connections.length, frames: frames.length };
};
