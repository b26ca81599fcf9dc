import { Refusal } from '../../domain/refusal.ts';
import { choiceField, integerField, optional, textField } from '../control-fields.ts';
import type { FieldReader } from '../control-fields.ts';
import type { Connection } from '../connection.ts';

/** What the simulator may end a connection with. */
const ways = ['abrupt', 'midFrame', 'reset', 'close'] as const;

/** How a connection ends. */
export type ConnectionEnd = {
  /**
   * `abrupt`: a FIN without a close frame; `midFrame`: the same after half of a frame; `reset`: a
   * RST; `close`: a close frame with code and reason. All but the last are 1006 for the client.
   */
  readonly how: (typeof ways)[number];
  readonly code: number;
  readonly reason: string;
};

/** Codes that may be sent (RFC 6455, 7.4): 1004 to 1006 never are. */
const closeCode: FieldReader<number> = (value, name) => {
  const code = integerField(1000, 4999)(value, name);
  const maySend = code <= 1003 || (code >= 1007 && code <= 1014) || code >= 3000;
  if (maySend) return code;
  throw new Refusal('invalid', `${name}: expected a code that may be sent, got ${code}`);
};

/** A close frame holds 123 bytes of reason; of the longest characters that is thirty. */
const maxReasonLength = 30;

export const endFields = {
  how: optional(choiceField(ways)),
  code: optional(closeCode),
  reason: optional(textField(maxReasonLength)),
};

/**
 * The end that the fields ask for: a close frame where there is a code, else an abrupt one.
 * @throws Refusal for a code or reason that no close frame would carry
 */
export function readEnd(values: {
  readonly how: ConnectionEnd['how'] | undefined;
  readonly code: number | undefined;
  readonly reason: string | undefined;
}): ConnectionEnd {
  const { code, reason } = values;
  const isClose = code !== undefined || reason !== undefined;
  const how = values.how ?? (isClose ? 'close' : 'abrupt');
  if (isClose && how !== 'close') {
    const field = code === undefined ? 'reason' : 'code';
    throw new Refusal('invalid', `${field}: expected only with how "close", got how "${how}"`);
  }
  return { how, code: code ?? 1001, reason: reason ?? '' };
}

export function endConnection(connection: Connection, { how, code, reason }: ConnectionEnd): void {
  switch (how) {
    case 'abrupt':
      connection.cut('A fault was asked for');
      break;
    case 'midFrame':
      connection.cutMidFrame();
      break;
    case 'reset':
      connection.reset();
      break;
    case 'close':
      connection.close(code, reason);
      break;
    default:
      how satisfies never;
  }
}
