import { createRegistry, toBinary } from '@bufbuild/protobuf';
import type { DescExtension, DescFile, DescService, Registry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ConnectRouter } from '@connectrpc/connect';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import type { ServerReflectionRequest as ServerReflectionRequestAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import type { ServerReflectionRequest } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';

/** Questions on one stream; beyond: RESOURCE_EXHAUSTED. Tools ask some per file they need. */
const maxRequests = 1_000;
/** Bytes of one question: names are short. */
const readMaxBytes = 4 * 1024;

/**
 * Serves the server reflection protocol (v1, and v1alpha, which older tools speak: the messages are
 * the same) for these services, from the descriptors in the generated code.
 */
export function reflectionRoutes(router: ConnectRouter, services: readonly DescService[]): void {
  const index = new DescriptorIndex([...services, ServerReflection, ServerReflectionAlpha]);
  const answer = (request: AnyRequest) => ({
    validHost: request.host,
    messageResponse: index.answer(request.messageRequest),
  });
  router.service(
    ServerReflection,
    {
      async *serverReflectionInfo(requests) {
        for await (const originalRequest of bounded(requests)) {
          yield { originalRequest, ...answer(originalRequest) };
        }
      },
    },
    { readMaxBytes },
  );
  router.service(
    ServerReflectionAlpha,
    {
      async *serverReflectionInfo(requests) {
        for await (const originalRequest of bounded(requests)) {
          yield { originalRequest, ...answer(originalRequest) };
        }
      },
    },
    { readMaxBytes },
  );
}

async function* bounded<T>(requests: AsyncIterable<T>): AsyncGenerator<T> {
  let count = 0;
  for await (const request of requests) {
    if (++count > maxRequests) {
      throw new ConnectError(`At most ${maxRequests} requests a stream`, Code.ResourceExhausted);
    }
    yield request;
  }
}

/** A request of either version. */
type AnyRequest = ServerReflectionRequest | ServerReflectionRequestAlpha;

type Answer =
  | { case: 'listServicesResponse'; value: { service: { name: string }[] } }
  | { case: 'fileDescriptorResponse'; value: { fileDescriptorProto: Uint8Array[] } }
  | {
      case: 'allExtensionNumbersResponse';
      value: { baseTypeName: string; extensionNumber: number[] };
    }
  | { case: 'errorResponse'; value: { errorCode: number; errorMessage: string } };

/** Finds files by what they declare. */
class DescriptorIndex {
  readonly #serviceNames: readonly string[];
  readonly #files: ReadonlyMap<string, DescFile>;
  readonly #registry: Registry;
  readonly #extensions: readonly DescExtension[];

  constructor(services: readonly DescService[]) {
    this.#serviceNames = [...new Set(services.map(({ typeName }) => typeName))].toSorted();
    const files = new Map<string, DescFile>();
    const add = (file: DescFile) => {
      if (files.has(file.name)) return;
      files.set(file.name, file);
      file.dependencies.forEach(add);
    };
    for (const { file } of services) add(file);
    this.#files = files;
    this.#registry = createRegistry(...files.values());
    this.#extensions = [...this.#registry].filter((type) => type.kind === 'extension');
  }

  answer(request: AnyRequest['messageRequest']): Answer {
    switch (request.case) {
      case 'listServices':
        return {
          case: 'listServicesResponse',
          value: { service: this.#serviceNames.map((name) => ({ name })) },
        };
      case 'fileByFilename':
        // Generated code names files without their ending.
        return fileAnswer(this.#files.get(request.value.replace(/\.proto$/u, '')), request.value);
      case 'fileContainingSymbol':
        return fileAnswer(this.#fileOfSymbol(request.value), request.value);
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = request.value;
        const extension = this.#extensions.find(
          ({ extendee, number }) =>
            extendee.typeName === containingType && number === extensionNumber,
        );
        return fileAnswer(extension?.file, `extension ${extensionNumber} of ${containingType}`);
      }
      case 'allExtensionNumbersOfType': {
        const baseTypeName = request.value;
        if (this.#registry.getMessage(baseTypeName) === undefined) return notFound(baseTypeName);
        const extensionNumber = this.#extensions
          .filter(({ extendee }) => extendee.typeName === baseTypeName)
          .map(({ number }) => number);
        return { case: 'allExtensionNumbersResponse', value: { baseTypeName, extensionNumber } };
      }
      case undefined:
        return error(Code.InvalidArgument, 'Expected one of the kinds of message_request');
      default:
        return request satisfies never;
    }
  }

  /** A symbol is a type, service or extension, or a method, field or enum value within one. */
  #fileOfSymbol(name: string): DescFile | undefined {
    const symbol = name.replace(/^\./u, '');
    const file = this.#registry.get(symbol)?.file;
    if (file !== undefined) return file;
    const point = symbol.lastIndexOf('.');
    if (point < 0) return undefined;
    const parent = this.#registry.get(symbol.slice(0, point));
    const member = symbol.slice(point + 1);
    const members =
      parent?.kind === 'service'
        ? parent.methods
        : parent?.kind === 'message'
          ? parent.members
          : [];
    if (members.some(({ name }) => name === member)) return parent?.file;
    return this.#fileOfEnumValue(symbol);
  }

  /** Enum values are declared beside their enum, not in it. */
  #fileOfEnumValue(symbol: string): DescFile | undefined {
    for (const type of this.#registry) {
      if (type.kind !== 'enum') continue;
      const scope = type.typeName.slice(0, type.typeName.length - type.name.length);
      if (type.values.some(({ name }) => scope + name === symbol)) return type.file;
    }
    return undefined;
  }
}

/** The file itself; those that it imports are asked for by name. */
function fileAnswer(file: DescFile | undefined, asked: string): Answer {
  if (file === undefined) return notFound(asked);
  return {
    case: 'fileDescriptorResponse',
    value: { fileDescriptorProto: [toBinary(FileDescriptorProtoSchema, file.proto)] },
  };
}

function notFound(asked: string): Answer {
  return error(Code.NotFound, `There is no ${JSON.stringify(asked.slice(0, 200))}`);
}

function error(errorCode: Code, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}
