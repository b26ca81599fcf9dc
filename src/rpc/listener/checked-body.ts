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
    await checkBody(bytes, checks);
    yield bytes;
  }
}

/**
 * The same for a GET, which has its message in its query.
 * @returns what it is to be refused with; undefined where nothing is found
 */
export async function queryRefusal(
  query: URLSearchParams,
  checks: BodyChecks,
): Promise<ConnectError | undefined> {
  const message = query.get('message') ?? '';
  const content = Buffer.from(message, query.get('base64') === '1' ? 'base64url' : 'utf8');
  try {
    const isJson = query.get('encoding') !== 'proto';
    await checkMessage(content, query.get('compression') ?? '', isJson, checks);
    return undefined;
  } catch (error) {
    return ConnectError.from(error);
  }
}

async function checkBody(bytes: Uint8Array, checks: BodyChecks): Promise<void> {
  const { header, maxBytes } = checks;
  const contentType = header.get('content-type') ?? '';
  const isJson = contentType.includes('json');
  if (/^application\/(?:proto|json)\b/iu.test(contentType)) {
    await checkMessage(bytes, header.get('content-encoding') ?? '', isJson, checks);
    return;
  }
  const content = bytes.subarray(envelopeBytes);
  const length = lengthIn(bytes);
  if (Math.max(length, content.length) > maxBytes) throw tooLong(maxBytes);
  // Another number of messages than one, or half of one.
  if (length !== content.length) return;
  const isGrpc = contentType.startsWith('application/grpc');
  const encoding = header.get(isGrpc ? 'grpc-encoding' : 'connect-content-encoding') ?? '';
  const isCompressed = ((bytes[0] ?? 0) & 1) === 1;
  await checkMessage(content, isCompressed ? encoding : '', isJson, checks);
}

async function checkMessage(
  content: Uint8Array,
  encoding: string,
  isJson: boolean,
  { message, compressions, maxBytes }: BodyChecks,
): Promise<void> {
  if (content.length > maxBytes) throw tooLong(maxBytes);
  const compression = compressions.find(({ name }) => name === encoding);
  const isPlain = encoding === '' || encoding === 'identity';
  if (!isPlain && compression === undefined) return;
  const unpacked = compression ? await unpack(content, compression, maxBytes) : content;
  if (isJson) return;
  try {
    fromBinary(message, unpacked);
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
