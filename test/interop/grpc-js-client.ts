import { credentials, Client, Metadata } from '@grpc/grpc-js';
import type { CallOptions, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type {
  MessageTypeDefinition,
  MethodDefinition,
  PackageDefinition,
} from '@grpc/proto-loader';

/** A message as protobuf.js makes it: a plain object, 64-bit integers and enums as text. */
export type PlainMessage = Readonly<Record<string, unknown>>;

type Method = MethodDefinition<object, PlainMessage>;
type Service = Readonly<Record<string, Method>>;

/** A client that shares no code with the server: gRPC by grpc-js, messages by protobuf.js. */
export class GrpcJsClient implements Disposable {
  readonly #client: Client;
  readonly #definition: PackageDefinition;
  readonly #service: string;

  /** A stub of one service ("tradewind.market.v1.MarketService") of the loaded protos. */
  constructor(address: string, definition: PackageDefinition, service: string) {
    this.#client = new Client(address, credentials.createInsecure());
    this.#definition = definition;
    this.#service = service;
  }

  /** Rejects with the ServiceError that grpc-js reports. */
  unary(method: string, request: object, options: CallOptions = {}): Promise<PlainMessage> {
    const { path, requestSerialize, responseDeserialize } = this.#method(method);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest<object, PlainMessage>(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        options,
        (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
      );
    });
  }

  /** An iterable of the answers; reading it throws the ServiceError that grpc-js reports. */
  stream(
    method: string,
    request: object,
    options: CallOptions = {},
  ): ClientReadableStream<PlainMessage> {
    const { path, requestSerialize, responseDeserialize } = this.#method(method);
    return this.#client.makeServerStreamRequest<object, PlainMessage>(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      options,
    );
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  #method(name: string): Method {
    const method = (this.#definition[this.#service] as Service | undefined)?.[name];
    if (method === undefined) throw new Error(`${this.#service} has no ${name}`);
    return method;
  }
}

/** What a call that has to fail fails with. */
export async function serviceErrorOf(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error('The call succeeded');
}

/** Decodes a message of a type of the loaded protos. */
export function decodeMessage(
  definition: PackageDefinition,
  type: string,
  bytes: Uint8Array,
): PlainMessage {
  const message = definition[type] as MessageTypeDefinition<object, PlainMessage> | undefined;
  if (message === undefined) throw new Error(`There is no message ${type}`);
  return message.deserialize(Buffer.from(bytes));
}
