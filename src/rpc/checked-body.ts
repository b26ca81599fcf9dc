import { fromBinary } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Compression } from '@connectrpc/connect/protocol';

export type BodyChecks = {
  readonly message: DescMessage;
  readonly header: Headers;
  readonly compressions: readonly Compression[];
  /** Bytes of the message, after decompression. */
  readonly maxBytes: number;
};

/** A byte of flags and four of length stand before a message, but for a unary RPC over Connect. */
const envelopeBytes = 5;

/**
 * Looks at the one message of a request before Connect does, whose own words for one that cannot be
 * read are INTERNAL and its parser's message. Whatever else is wrong is left to Connect.
 * @throws ConnectError INVALID_ARGUMENT for what is no protobuf of this message, RESOURCE_EXHAUSTED
 * for one that is too long
 */
export async function* checkedBody(
  body: AsyncIterable<Uint8Array>,
  checks: BodyChecks,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of body) {
    await check(bytes, checks);
    yield bytes;
  }
}

async function check(bytes: Uint8Array, checks: BodyChecks): Promise<void> {
  const { message, header, compressions, maxBytes } = checks;
  const contentType = header.get('content-type') ?? '';
  const isUnaryConnect = /^application\/(?:proto|json)\b/iu.test(contentType);
  const content = isUnaryConnect ? bytes : bytes.subarray(envelopeBytes);
  const length = isUnaryConnect ? content.length : lengthIn(bytes);
  if (Math.max(length, content.length) > maxBytes) throw tooLong(maxBytes);
  // Another number of messages than one, or half of one.
  if (length !== content.length) return;
  const encodingHeader = isUnaryConnect
    ? 'content-encoding'
    : contentType.startsWith('application/grpc')
      ? 'grpc-encoding'
      : 'connect-content-encoding';
  const isCompressed = isUnaryConnect || ((bytes[0] ?? 0) & 1) === 1;
  const encoding = (isCompressed && header.get(encodingHeader)) || 'identity';
  const compression = compressions.find(({ name }) => name === encoding);
  if (encoding !== 'identity' && compression === undefined) return;
  const text = compression === undefined ? content : await unpack(content, compression, maxBytes);
  if (contentType.includes('json')) return;
  try {
    fromBinary(message, text);
  } catch (cause) {
    const expected = `Expected a ${message.typeName} as protobuf writes it`;
    throw new ConnectError(expected, Code.InvalidArgument, undefined, undefined, cause);
  }
}

function lengthIn(envelope: Uint8Array): number {
  if (envelope.length < envelopeBytes) return -1;
  return new DataView(envelope.buffer, envelope.byteOffset).getUint32(1);
}

async function unpack(
  content: Uint8Array,
  { decompress }: Compression,
  maxBytes: number,
): Promise<Uint8Array> {
  try {
    return await decompress(content, maxBytes);
  } catch (error) {
    throw ConnectError.from(error).code === Code.ResourceExhausted ? tooLong(maxBytes) : error;
  }
}

function tooLong(maxBytes: number): ConnectError {
  return new ConnectError(
    `Expected a message of at most ${maxBytes} bytes, unpacked (MAX_MESSAGE_BYTES)`,
    Code.ResourceExhausted,
  );
}
