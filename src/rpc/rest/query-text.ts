import { quote, refusedField } from './rest-refusal.ts';

/** Parameters in a query: two for each of the 1,024 selections that the largest request has, and a few. */
const maxParameters = 2_100;

/**
 * Reads a query strictly, in its order.
 * @throws RestRefusal for one that is no percent-encoded UTF-8, or has too many parameters
 */
export function readQuery(query: string): readonly (readonly [name: string, text: string])[] {
  if (query === '') return [];
  const pieces = query.split('&', maxParameters + 1);
  if (pieces.length > maxParameters) {
    throw refusedField('query', `expected at most ${maxParameters} parameters`);
  }
  return pieces
    .filter((piece) => piece !== '')
    .map((piece) => {
      const end = piece.indexOf('=');
      const name = end < 0 ? piece : piece.slice(0, end);
      return [decode(name, piece), decode(end < 0 ? '' : piece.slice(end + 1), piece)];
    });
}

function decode(text: string, piece: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw refusedField('query', `expected percent-encoded UTF-8, got ${quote(piece)}`);
  }
}
