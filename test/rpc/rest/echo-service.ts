import { createFileRegistry, createRegistry, fromJson } from '@bufbuild/protobuf';
import type { DescService, JsonObject, JsonValue, Message } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_duration,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { file_google_api_annotations } from '../../../gen/google/api/annotations_pb.ts';

type Rule = Readonly<Record<string, JsonValue>>;

const field = (name: string, number: number, type: string, more: JsonObject = {}): JsonObject => ({
  name,
  jsonName: name.replaceAll(/_[a-z]/gu, (text) => text.slice(1).toUpperCase()),
  number,
  type: `TYPE_${type}`,
  label: 'LABEL_OPTIONAL',
  ...more,
});
const message = (typeName: string) => ({ typeName: `.${typeName}` });
const repeated = { label: 'LABEL_REPEATED' };

const everything: JsonObject = {
  name: 'Everything',
  field: [
    field('text', 1, 'STRING'),
    field('is_on', 2, 'BOOL'),
    field('count', 3, 'INT32'),
    field('big', 4, 'INT64'),
    field('ratio', 5, 'DOUBLE'),
    field('raw', 6, 'BYTES'),
    field('color', 7, 'ENUM', message('test.Color')),
    field('time', 8, 'MESSAGE', message('google.protobuf.Timestamp')),
    field('length', 9, 'MESSAGE', message('google.protobuf.Duration')),
    field('inner', 10, 'MESSAGE', message('test.Inner')),
    field('inners', 11, 'MESSAGE', { ...message('test.Inner'), ...repeated }),
    field('words', 12, 'STRING', repeated),
    field('labels', 13, 'MESSAGE', { ...message('test.Everything.LabelsEntry'), ...repeated }),
    field('left', 14, 'STRING', { oneofIndex: 0 }),
    field('right', 15, 'STRING', { oneofIndex: 0 }),
    field('wrapped', 16, 'MESSAGE', message('google.protobuf.Int64Value')),
    field('whole', 17, 'UINT64'),
    field('resume_after', 18, 'STRING'),
    field('cursor', 19, 'STRING'),
    field('colors', 20, 'ENUM', { ...message('test.Color'), ...repeated }),
  ],
  nestedType: [
    {
      name: 'LabelsEntry',
      field: [field('key', 1, 'STRING'), field('value', 2, 'INT32')],
      options: { mapEntry: true },
    },
  ],
  oneofDecl: [{ name: 'choice' }],
};

/** A service that answers with its request, at these paths. */
export function echoService(rules: readonly Rule[], isStream = false): DescService {
  const [first = {}, ...additionalBindings] = rules;
  const json: JsonObject = {
    name: 'test.proto',
    package: 'test',
    syntax: 'proto3',
    dependency: [
      'google/protobuf/timestamp.proto',
      'google/protobuf/duration.proto',
      'google/protobuf/wrappers.proto',
      'google/api/annotations.proto',
    ],
    messageType: [
      everything,
      {
        name: 'Inner',
        field: [
          field('price', 1, 'STRING'),
          field('color', 2, 'ENUM', message('test.Color')),
          field('inner', 3, 'MESSAGE', message('test.Inner')),
          field('tags', 4, 'STRING', repeated),
        ],
      },
    ],
    enumType: [
      {
        name: 'Color',
        value: [
          { name: 'COLOR_UNSPECIFIED', number: 0 },
          { name: 'COLOR_RED', number: 1 },
          { name: 'COLOR_DEEP_BLUE', number: 2 },
        ],
      },
    ],
    service: [
      {
        name: 'EchoService',
        method: [
          {
            name: 'Echo',
            inputType: '.test.Everything',
            outputType: '.test.Everything',
            serverStreaming: isStream,
            options: {
              '[google.api.http]': { ...first, additionalBindings: [...additionalBindings] },
            },
          },
        ],
      },
    ],
  };
  const registry = createRegistry(file_google_api_annotations);
  const proto = fromJson(FileDescriptorProtoSchema, json, { registry });
  const known = [
    file_google_protobuf_timestamp,
    file_google_protobuf_duration,
    file_google_protobuf_wrappers,
    file_google_api_annotations,
  ];
  const files = createFileRegistry(proto, (name) => known.find((file) => file.proto.name === name));
  const service = files.getService('test.EchoService');
  if (service === undefined) throw new Error('Expected the service that was just made');
  return service;
}

/** Serves it; of a stream by what `answer` yields. */
export function echoRoutes(
  rules: readonly Rule[],
  answer?: (request: Message, signal: AbortSignal) => AsyncIterable<Message>,
): (router: ConnectRouter) => void {
  const service = echoService(rules, answer !== undefined);
  // Of a service that TypeScript does not know, it knows no implementation either.
  const implementation: object = {
    echo: (request: Message, { signal }: HandlerContext) =>
      answer === undefined ? request : answer(request, signal),
  };
  return (router) => void router.service(service, implementation);
}
