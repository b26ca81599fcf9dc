import { quote, refusedField } from './rest-refusal.ts';

/** A segment of a path: as it is written, one of any text, or any number of them (the last only). */
type Segment =
  | { readonly type: 'literal'; readonly text: string }
  | { readonly type: 'any' }
  | { readonly type: 'rest' };

/** A field of the request that is taken from the path: "order.id", and where its segments are. */
type Variable = {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** Whether the template writes its text out: `{statistic=highest}`. */
  readonly isFixed: boolean;
};

/** The path of a request, cut at its slashes; not decoded yet. */
export type RequestPath = readonly string[];

/** Cuts "/v1/server" to "v1" and "server". */
export function splitPath(path: string): RequestPath {
  return path.split('/').slice(1);
}

/**
 * A path as google.api.http writes it: `/v1/instruments/{instrument}/candles`, with `{field=**}` for
 * all that is left, and perhaps `:verb` at the end. An instrument's own colon does not disturb: a verb
 * is looked for only where the template has one.
 */
export class PathTemplate {
  readonly text: string;
  readonly segments: readonly Segment[];
  readonly variables: readonly Variable[];
  readonly verb: string | undefined;

  /** @throws Error for a template that is none: a mistake in a proto */
  constructor(text: string) {
    const match = /^\/((?:\{[^{}]+\}|[^{}])+?)(?::([\w-]+))?$/u.exec(text);
    if (match === null) throw new Error(`Expected a path template, got ${text}`);
    const segments: Segment[] = [];
    const variables: Variable[] = [];
    for (const [piece] of (match[1] ?? '').matchAll(/\{[^{}]+\}|[^/{}]+/gu)) {
      const [name, pattern] = piece.startsWith('{')
        ? splitVariable(piece.slice(1, -1))
        : [undefined, piece];
      const start = segments.length;
      for (const segment of pattern.split('/')) segments.push(segmentOf(segment));
      const isFixed = !pattern.includes('*');
      if (name !== undefined) variables.push({ name, start, end: segments.length, isFixed });
    }
    const rest = segments.findIndex(({ type }) => type === 'rest');
    if (rest >= 0 && rest < segments.length - 1) throw new Error(`Expected ** last in ${text}`);
    this.text = text;
    this.segments = segments;
    this.variables = variables;
    this.verb = match[2];
  }

  matches(path: RequestPath): boolean {
    const own = this.#withoutVerb(path);
    if (own === undefined) return false;
    const hasRest = this.segments.at(-1)?.type === 'rest';
    if (hasRest ? own.length < this.segments.length : own.length !== this.segments.length) {
      return false;
    }
    return own.every((raw, index) => {
      const segment = this.segments[index];
      return segment?.type === 'literal' ? isLiteral(raw, segment.text) : raw !== '';
    });
  }

  /**
   * The texts of the fields that a path which matches has.
   * @throws RestRefusal for a segment that is no percent-encoded UTF-8 or has control characters
   */
  read(path: RequestPath): readonly (readonly [name: string, text: string])[] {
    const own = this.#withoutVerb(path) ?? [];
    return this.variables.map(({ name, start, end }) => {
      const isRest = this.segments[end - 1]?.type === 'rest';
      const texts = own.slice(start, isRest ? undefined : end).map((raw) => decode(name, raw));
      return [name, texts.join('/')];
    });
  }

  /** What sorts the more definite of two templates that match the same path first. */
  get rank(): string {
    const ranks = { literal: '0', any: '1', rest: '2' } as const;
    const segments = this.segments.map(({ type }) => ranks[type]).join('');
    return `${segments} ${this.verb === undefined ? '1' : '0'}`;
  }

  /** The same for templates that match the same paths. */
  get shape(): string {
    const segments = this.segments.map((each) =>
      each.type === 'literal' ? each.text : `{${each.type}}`,
    );
    return `/${segments.join('/')}${this.verb === undefined ? '' : `:${this.verb}`}`;
  }

  #withoutVerb(path: RequestPath): RequestPath | undefined {
    if (this.verb === undefined) return path;
    const last = path.at(-1) ?? '';
    const end = `:${this.verb}`;
    if (!last.endsWith(end)) return undefined;
    return [...path.slice(0, -1), last.slice(0, -end.length)];
  }
}

function splitVariable(text: string): readonly [name: string, pattern: string] {
  const [name = '', pattern = '*'] = text.split('=');
  return [name, pattern];
}

function segmentOf(text: string): Segment {
  if (text === '*') return { type: 'any' };
  return text === '**' ? { type: 'rest' } : { type: 'literal', text };
}

function isLiteral(raw: string, text: string): boolean {
  if (raw === text) return true;
  try {
    return raw.includes('%') && decodeURIComponent(raw) === text;
  } catch {
    return false;
  }
}

function decode(name: string, raw: string): string {
  let text: string;
  try {
    text = decodeURIComponent(raw);
  } catch {
    throw refusedField(name, `expected percent-encoded UTF-8 in the path, got ${quote(raw)}`);
  }
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/u.test(text)) {
    throw refusedField(name, `expected no control characters, got ${quote(text)}`);
  }
  return text;
}
