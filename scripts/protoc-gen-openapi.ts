// A plugin of buf generate: writes openapi.json from the descriptors and comments of all protos.
import { createFileRegistry, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { buffer } from 'node:stream/consumers';
import { commentsOf } from '../src/rpc/rest/openapi/comments.ts';
import { openApiDocument } from '../src/rpc/rest/openapi/document.ts';

const request = fromBinary(CodeGeneratorRequestSchema, await buffer(process.stdin));
const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
const services = [...registry.files]
  .filter(({ proto }) => request.fileToGenerate.includes(proto.name))
  .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  .flatMap((file) => file.services);
const document = openApiDocument(services, commentsOf(request.protoFile));

const response = create(CodeGeneratorResponseSchema, {
  supportedFeatures: BigInt(CodeGeneratorResponse_Feature.PROTO3_OPTIONAL),
  file: [{ name: 'openapi.json', content: `${JSON.stringify(document, null, 2)}\n` }],
});
process.stdout.write(toBinary(CodeGeneratorResponseSchema, response));
