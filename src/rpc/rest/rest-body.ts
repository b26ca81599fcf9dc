import { Code, ConnectError } from '@connectrpc/connect';
import type { Clock } from '../../base/clock.ts';
import type { ListenerLimits } from '../listener/listener-limits.ts';
import { wholeBody } from '../listener/request-body.ts';
import type { NodeRequest } from '../listener/response-writer.ts';
import { acceptedCompressions } from '../listener/rpc-handler.ts';
import { refusedField, RestRefusal } from './rest-refusal.ts';

/**
 * Reads the body of a request as UTF-8, unpacked where it is packed.
 * @throws RestRefusal for one that is too long or no UTF-8, ConnectError DEADLINE_EXCEEDED for one that
 * does not arrive in time
 */
export async function readBodyText(
  request: NodeRequest,
  { limits, clock }: { readonly limits: ListenerLimits; readonly clock: Clock },
): Promise<string> {
  const maxBytes = limits.readMaxBytes;
  const bounds = { maxBytes, timeoutMs: limits.requestBodyTimeoutMs, clock };
  let packed: Uint8Array = new Uint8Array(0);
  for await (const whole of wholeBody(request, bounds)) packed = whole;
  const bytes = await unpacked(packed, request.headers['content-encoding'] ?? '', maxBytes);
  if (bytes.length > maxBytes) throw tooLong(maxBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refusedField('body', 'expected UTF-8');
  }
}

async function unpacked(
  bytes: Uint8Array,
  encoding: string,
  maxBytes: number,
): Promise<Uint8Array> {
  if (encoding === 'identity' || encoding === '') return bytes;
  const compression = acceptedCompressions.find(({ name }) => name === encoding);
  if (compression === undefined) {
    const known = acceptedCompressions.map(({ name }) => name).join(', ');
    const expected = `Expected content-encoding ${known} or none`;
    throw new RestRefusal(Code.InvalidArgument, expected, { httpStatus: 415 });
  }
  try {
    return await compression.decompress(bytes, maxBytes);
  } catch (error) {
    if (ConnectError.from(error).code === Code.ResourceExhausted) throw tooLong(maxBytes);
    throw refusedField('body', `expected ${encoding}`);
  }
}

function tooLong(maxBytes: number): RestRefusal {
  const expected = `Expected a body of at most ${maxBytes} bytes, unpacked (MAX_MESSAGE_BYTES)`;
  return new RestRefusal(Code.ResourceExhausted, expected, { httpStatus: 413 });
}
