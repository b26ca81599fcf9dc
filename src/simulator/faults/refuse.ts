import { Refusal } from '../../domain/refusal.ts';
import { choiceField, integerField, optional, readFields, withDefault } from '../control-fields.ts';
import type { Action } from '../controlled.ts';
import { boundFields, maxDurationMs } from './bound.ts';
import type { Bound } from './bound.ts';
import type { Fault } from './fault.ts';

const statuses = [403, 418, 429, 451, 500, 502, 503, 504, 'silence'] as const;
const doors = ['websocket', 'rest', 'both'] as const;

/** Seconds; Binance bans for two minutes and more. */
const retryAfterSeconds = new Map<number, number>([
  [429, 60],
  [418, 120],
]);

/** An HTTP answer that refuses. */
export type Refused = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
};

const fields = {
  door: withDefault(choiceField(doors), 'both'),
  status: choiceField(statuses),
  retryAfterSeconds: optional(integerField(0, maxDurationMs / 1000)),
  ...boundFields,
};

/** Refuses WebSockets, REST or both, or leaves them unanswered. /control is never refused. */
export const refuse: Action = (body, { faults }) => {
  const values = readFields(body, fields);
  if (values.status === 'silence' && values.retryAfterSeconds !== undefined) {
    throw new Refusal('invalid', 'retryAfterSeconds: expected only with a status that is told');
  }
  return faults.begin(new Refuse(values, faults.bound(values)));
};

type Values = {
  readonly door: (typeof doors)[number];
  readonly status: (typeof statuses)[number];
  readonly retryAfterSeconds: number | undefined;
};

class Refuse implements Fault {
  readonly action = 'refuse';
  readonly symbol = undefined;
  readonly bound: Bound;
  readonly #door: Values['door'];
  readonly #status: Values['status'];
  readonly #retryAfter: number | undefined;

  constructor({ door, status, retryAfterSeconds: after }: Values, bound: Bound) {
    this.bound = bound;
    this.#door = door;
    this.#status = status;
    this.#retryAfter = after ?? (status === 'silence' ? undefined : retryAfterSeconds.get(status));
  }

  shown(): Readonly<Record<string, unknown>> {
    return { door: this.#door, status: this.#status, retryAfterSeconds: this.#retryAfter };
  }

  refuse(door: 'websocket' | 'rest'): Refused | 'silence' | undefined {
    if (this.#door !== 'both' && this.#door !== door) return undefined;
    if (!this.bound.take()) return undefined;
    const status = this.#status;
    if (status === 'silence') return status;
    const retryAfter = this.#retryAfter;
    const headers = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) };
    return { status, ...page(status, headers) };
  }
}

/** Limits and bans are told in JSON, firewalls and gateways answer with their own pages. */
function page(
  status: number,
  headers: Readonly<Record<string, string>>,
): Pick<Refused, 'headers' | 'text'> {
  if (status === 418 || status === 429 || status === 451) {
    const [code, msg] =
      status === 451 ? [0, 'Not served at this place.'] : [-1003, 'Too many requests.'];
    return {
      headers: { ...headers, 'Content-Type': 'application/json;charset=UTF-8' },
      text: JSON.stringify({ code, msg }),
    };
  }
  return {
    headers: { ...headers, 'Content-Type': 'text/html' },
    text: `<html><head><title>${status}</title></head><body><h1>${status}</h1></body></html>\n`,
  };
}
