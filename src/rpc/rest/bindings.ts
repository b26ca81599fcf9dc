import { getOption, hasOption } from '@bufbuild/protobuf';
import type {
  DescField,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
} from '@bufbuild/protobuf';
import { http } from '../../../gen/google/api/annotations_pb.ts';
import type { HttpRule } from '../../../gen/google/api/http_pb.ts';
import { PathTemplate } from './path-template.ts';
import { RequestReader } from './request-reader.ts';

/** An RPC that plain HTTP can ask for: it has one request. */
export type RestRpc = DescMethodUnary | DescMethodServerStreaming;

/** One HTTP method and path of an RPC. */
export type Binding = {
  readonly rpc: RestRpc;
  readonly httpMethod: string;
  readonly template: PathTemplate;
  readonly reader: RequestReader;
  /** The field of the response that is the answer's body; undefined: the whole response is. */
  readonly responseBody: DescField | undefined;
};

/**
 * All bindings that an RPC's google.api.http option names, the first one first.
 * @throws Error for a rule that cannot be served: a mistake in a proto
 */
export function bindingsOf(rpc: DescMethod): readonly Binding[] {
  if (!hasOption(rpc, http)) return [];
  if (!hasOneRequest(rpc)) {
    throw new Error(`${rpc.parent.typeName}/${rpc.name}: expected one request`);
  }
  const rule = getOption(rpc, http);
  return [rule, ...rule.additionalBindings].map((one) => bindingOf(rpc, one));
}

function hasOneRequest(rpc: DescMethod): rpc is RestRpc {
  return rpc.methodKind === 'unary' || rpc.methodKind === 'server_streaming';
}

function bindingOf(rpc: RestRpc, rule: HttpRule): Binding {
  const [httpMethod, path] = patternOf(rule);
  const template = new PathTemplate(path);
  const responseBody = rpc.output.fields.find(({ name }) => name === rule.responseBody);
  if (rule.responseBody !== '' && responseBody === undefined) {
    throw new Error(`${rpc.output.typeName} has no field ${rule.responseBody}`);
  }
  const reader = new RequestReader(rpc.input, template, rule.body);
  return { rpc, httpMethod, template, reader, responseBody };
}

function patternOf({ pattern }: HttpRule): readonly [httpMethod: string, path: string] {
  if (pattern.case === undefined) {
    throw new Error('Expected an HTTP rule to have a method and a path');
  }
  if (pattern.case === 'custom') return [pattern.value.kind, pattern.value.path];
  return [pattern.case.toUpperCase(), pattern.value];
}
