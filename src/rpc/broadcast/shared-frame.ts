import { toBinary, toJsonString } from '@bufbuild/protobuf';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { streamElement } from '../rest/stream-format.ts';
import type { StreamFormat } from '../rest/stream-format.ts';

/**
 * How a client wants messages written: in the envelopes of RPC, or over plain HTTP as lines or events.
 */
export type Codec = 'binary' | 'json' | StreamFormat;

/** How a frame behaves among others that wait for the same reader. */
export type FrameRules = {
  /** A frame that may be replaced: a later one with the same key takes its place, at the end. */
  readonly conflateKey?: string;
  /** The key of the waiting frame that this one makes pointless: it is taken out. */
  readonly supersedes?: string;
};

/**
 * One message of a stream, encoded at most once per codec, however many readers it goes to. gRPC,
 * gRPC-Web and Connect streaming write messages alike: a byte of flags (0: not compressed), four of
 * length, the message.
 */
export class SharedFrame {
  readonly conflateKey: string | undefined;
  readonly supersedes: string | undefined;
  readonly #encode: (codec: Codec) => Uint8Array;
  #binary: Uint8Array | undefined;
  #json: Uint8Array | undefined;
  #lines: Uint8Array | undefined;
  #events: Uint8Array | undefined;

  constructor(encode: (codec: Codec) => Uint8Array, { conflateKey, supersedes }: FrameRules = {}) {
    this.#encode = encode;
    this.conflateKey = conflateKey;
    this.supersedes = supersedes;
  }

  /** A frame of this message; it must not change afterwards. */
  static of<Desc extends DescMessage>(
    schema: Desc,
    message: MessageShape<Desc>,
    rules?: FrameRules,
  ): SharedFrame {
    return new SharedFrame((codec) => encode(schema, message, codec), rules);
  }

  /** The message as it goes out. */
  bytes(codec: Codec): Uint8Array {
    switch (codec) {
      case 'binary':
        return (this.#binary ??= envelope(this.#encode(codec)));
      case 'json':
        return (this.#json ??= envelope(this.#encode(codec)));
      case 'lines':
        return (this.#lines ??= this.#encode(codec));
      case 'events':
        return (this.#events ??= this.#encode(codec));
      default:
        return codec satisfies never;
    }
  }
}

function encode<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  codec: Codec,
): Uint8Array {
  if (codec === 'binary') return toBinary(schema, message);
  if (codec === 'json') return Buffer.from(toJsonString(schema, message));
  return streamElement(codec, schema, message);
}

function envelope(message: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(5 + message.length);
  bytes.writeUInt8(0, 0);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
}
