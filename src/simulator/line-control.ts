import { Refusal } from '../domain/refusal.ts';
import {
  choiceField,
  integerField,
  invalid,
  listField,
  optional,
  readFields,
  symbolField,
  withDefault,
} from './control-fields.ts';
import type { FieldReader } from './control-fields.ts';
import type { Action, Controlled } from './controlled.ts';
import { boundFields } from './faults/bound.ts';
import type { Bound } from './faults/bound.ts';
import type { Fault } from './faults/fault.ts';
import { base64Field, maxGarbageBytes } from './faults/garbage.ts';
import type { LineExchange } from './line-exchange.ts';

/** Lines in one request. */
const maxLines = 10_000;
/** How long ago a price may have been: a day. */
const maxAgoMs = 86_400_000;

/** @throws Refusal naming the exchanges that there are */
function exchangeOf({ exchanges }: Controlled, value: unknown): LineExchange {
  const exchange = typeof value === 'string' ? exchanges.get(value) : undefined;
  if (exchange !== undefined) return exchange;
  throw invalid('exchange', `one of ${[...exchanges.keys()].join(', ')}`, value);
}

/** Which of them is looked up first, so that it is left unread here. */
const exchange: FieldReader<unknown> = (value) => value;

/** Text, for a number would have passed through a float by now. */
const priceField: FieldReader<string> = (value, name) => {
  const isPrice = typeof value === 'string' && /^(?:0|[1-9]\d{0,14})(?:\.\d{1,18})?$/.test(value);
  if (isPrice) return value;
  throw invalid(name, 'a decimal number as text like "100123.45"', value);
};

/** Pauses a symbol's own prices on the exchange and sends this one in their place. */
const inject: Action = (body, controlled) => {
  const { symbol, price, agoMs, timestamp } = readFields(body, {
    exchange,
    symbol: symbolField,
    price: priceField,
    agoMs: optional(integerField(0, maxAgoMs)),
    timestamp: optional(integerField(0, Number.MAX_SAFE_INTEGER)),
  });
  if (agoMs !== undefined && timestamp !== undefined) {
    throw new Refusal('invalid', 'agoMs: expected only without timestamp');
  }
  const now = controlled.clock.now();
  const told = timestamp ?? Math.floor(now / 1000) - (agoMs ?? 0);
  const target = exchangeOf(controlled, body['exchange']);
  target.sendDue(now);
  const delivered = target.inject(symbol, price, told);
  return { exchange: target.name, symbol, price, timestamp: told, delivered };
};

/** Lets a symbol's own prices go on; without a symbol all of them. */
const resume: Action = (body, controlled) => {
  const { symbol } = readFields(body, { exchange, symbol: optional(symbolField) });
  const target = exchangeOf(controlled, body['exchange']);
  target.sendDue(controlled.clock.now());
  for (const each of symbol === undefined ? target.symbols : [symbol]) target.resume(each);
  return { exchange: target.name, paused: false };
};

const cut: Action = (body, controlled) => {
  const { how } = readFields(body, {
    exchange,
    how: withDefault(choiceField(['abrupt', 'midLine', 'reset'] as const), 'abrupt'),
  });
  return { connections: exchangeOf(controlled, body['exchange']).cut(how) };
};

const readLine: FieldReader<Buffer> = (value, name) => {
  if (typeof value === 'string') return Buffer.from(`${value}\n`);
  const [[key, content] = ['', undefined], ...others] = Object.entries(value ?? {});
  if (key === 'raw' && others.length === 0) return base64Field(content, `${name}.raw`);
  if (key === 'bytes' && others.length === 0) {
    return Buffer.alloc(integerField(0, maxGarbageBytes)(content, `${name}.bytes`), 'x');
  }
  throw invalid(name, 'a text or an object with one of raw, bytes', value);
};

/** Writes lines that are none, just as they are. No fault touches them. */
const garbage: Action = (body, controlled) => {
  const { lines } = readFields(body, {
    exchange,
    lines: listField('texts or objects', maxLines, readLine),
  });
  const size = lines.reduce((sum, { length }) => sum + length, 0);
  if (size > maxGarbageBytes) {
    throw new Refusal('invalid', `lines: expected at most ${maxGarbageBytes} bytes, got ${size}`);
  }
  const connections = exchangeOf(controlled, body['exchange']).write(Buffer.concat(lines));
  return { connections, lines: lines.length };
};

/** Tells no prices while the connections stay open. */
const stall: Action = (body, controlled) => {
  const { symbol, ...limits } = readFields(body, {
    exchange,
    symbol: optional(symbolField),
    ...boundFields,
  });
  const { name } = exchangeOf(controlled, body['exchange']);
  const bound = controlled.faults.bound(limits);
  return controlled.faults.begin({
    ...aFault('stall', name, symbol, bound),
    stallsExchange: (exchange, told) =>
      exchange === name && (symbol === undefined || symbol === told) && bound.take(),
  });
};

/** Closes the port to new clients; `cut` ends those that are connected. */
const refuse: Action = (body, controlled) => {
  const limits = readFields(body, { exchange, durationMs: boundFields.durationMs });
  const target = exchangeOf(controlled, body['exchange']);
  const { name } = target;
  const bound = controlled.faults.bound(limits);
  const shown = controlled.faults.begin({
    ...aFault('refuse', name, undefined, bound),
    closesExchange: (exchange) => exchange === name,
  });
  target.sendDue(controlled.clock.now());
  return shown;
};

function aFault(action: string, exchange: string, symbol: string | undefined, bound: Bound): Fault {
  return { action, symbol, bound, shown: () => ({ exchange }) };
}

/** What can be asked of an exchange that pushes JSON lines, by the name in `action`. */
export const exchangeActions: ReadonlyMap<string, Action> = new Map(
  Object.entries({ inject, resume, cut, garbage, stall, refuse }),
);
