import { Refusal } from '../../domain/refusal.ts';

/** So that nobody writes one himself and relies on what is in it. */
const prefix = 'prices:';

/** Names the symbols after this one. */
export function formatPricePageToken(symbol: string): string {
  return Buffer.from(prefix + symbol).toString('base64url');
}

/**
 * The symbol that a page ended with; undefined: begin with the first.
 * @throws Refusal for what no answer has told
 */
export function parsePricePageToken(token: string): string | undefined {
  if (token === '') return undefined;
  const text = Buffer.from(token, 'base64url').toString();
  const symbol = text.slice(prefix.length);
  if (symbol !== '' && formatPricePageToken(symbol) === token) return symbol;
  throw new Refusal('invalid', 'page_token: expected the next_page_token of an answer', {
    field: 'page_token',
  });
}
