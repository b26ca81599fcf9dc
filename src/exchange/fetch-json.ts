import type { Clock } from '../base/clock.ts';

/** There was no answer, or none that can be used; asking again may help. */
export class Unusable extends Error {
  override readonly name = 'Unusable';
}

export type FetchOptions = {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly bodyLimitBytes: number;
  /** Of a body's text, where JSON.parse will not do. */
  readonly parse?: ((text: string) => unknown) | undefined;
};

export type FetchedJson = {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /**
   * The body's JSON; only a 200 has one, for a refusal's page may be anything.
   * @throws Unusable where it is none
   */
  readonly body: () => unknown;
};

/**
 * One GET with a time limit and a bounded body.
 * @throws Unusable when there is no whole answer in time, or the signal's reason
 */
export async function fetchJson(url: string, options: FetchOptions): Promise<FetchedJson> {
  const { signal, headers, timeoutMs } = options;
  const timeout = new AbortController();
  using _timer = options.clock.setTimer(timeoutMs, () => timeout.abort());
  try {
    const response = await fetch(url, {
      headers,
      // An exchange's interface does not move; a hotel's or a company's login page does redirect.
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout.signal]),
    });
    const isGood = response.status === 200;
    if (!isGood) await response.body?.cancel();
    const text = isGood ? await readBody(response, options.bodyLimitBytes) : '';
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body: () => parseBody(text, options.parse ?? JSON.parse),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.signal.aborted) throw new Unusable(`No answer within ${timeoutMs} ms`);
    if (error instanceof Unusable) throw error;
    throw new Unusable(describe(error), { cause: error });
  }
}

async function readBody(response: Response, limitBytes: number): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (size > limitBytes) throw new Unusable(`The answer is longer than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseBody(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch {
    throw new Unusable(`Expected JSON, got ${JSON.stringify(text.slice(0, 60))}`);
  }
}

/** fetch says only "fetch failed"; why stands in the cause. */
function describe(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}
