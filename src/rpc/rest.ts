import type { JsonObject } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import { bindingsOf } from './rest/bindings.ts';
import { openApiPath } from './rest/openapi/document.ts';
import { jsonAnswer } from './rest/openapi/own-operation.ts';
import type { OwnOperation } from './rest/openapi/own-operation.ts';
import { servedDocument } from './rest/openapi/served-document.ts';
import type { OwnRoute } from './rest/openapi/served-document.ts';
import { PathTemplate, splitPath } from './rest/path-template.ts';
import { RestCall } from './rest/rest-call.ts';
import type { RestRequest, RestSurroundings } from './rest/rest-call.ts';
import { RestRefusal } from './rest/rest-refusal.ts';
import { isForeseen } from './rest/status.ts';
import { RouteTable } from './rest/route-table.ts';
import type { RestRoute, RouteName } from './rest/route-table.ts';
import { transcode } from './rest/transcode.ts';

/** Answers one method and path by hand, where no annotation can express its body or its answer. */
export type RestAdapter = RouteName & {
  /**
   * What /openapi.json tells of it; undefined: it stands in for the contract's own route of this path,
   * which is what is told.
   */
  readonly operation?: OwnOperation;
  /** What it throws is answered as a google.rpc.Status. */
  readonly answer: (call: RestCall) => Promise<void>;
};

/**
 * Plain HTTP for every RPC that has a google.api.http annotation, and for what adapters add. A request
 * becomes the RPC's message and goes the way of any other RPC.
 */
export class RestRouter {
  readonly #surroundings: RestSurroundings;
  readonly #routes: RouteTable;

  /** @throws Error for annotations that cannot be served: a mistake in a proto */
  constructor(
    handlers: readonly UniversalHandler[],
    adapters: readonly RestAdapter[],
    surroundings: Omit<RestSurroundings, 'rpcs'> & {
      /** What is served beside this, for /openapi.json to tell. */
      readonly others: readonly OwnRoute[];
    },
  ) {
    const rpcs = new Map(handlers.map((handler) => [handler.requestPath, handler]));
    const { others: otherRoutes, ...rest } = surroundings;
    this.#surroundings = { ...rest, rpcs };
    const bound = handlers.flatMap(({ method }) => bindingsOf(method)).map(routeOf);
    const byHand = [
      ...adapters,
      openApiAdapter(bound, [...adapters.filter(isOwn), ...otherRoutes]),
    ];
    const replaced = new Set(adapters.filter((one) => !isOwn(one)).map(nameOf));
    const kept = bound.filter(
      ({ httpMethod, template: { text: path } }) => !replaced.has(nameOf({ httpMethod, path })),
    );
    this.#routes = new RouteTable([...byHand.map(adapterRoute), ...kept]);
  }

  /** The routes of a path, of whatever HTTP method; none: there is nothing. */
  routesOf(path: string): readonly RestRoute[] {
    return this.#routes.matching(splitPath(path));
  }

  /** Answers a request for a path that has these routes. */
  async answer(routes: readonly RestRoute[], request: RestRequest): Promise<void> {
    const call = new RestCall(request, this.#surroundings);
    const answered = answerBy(routes, call).catch((error: unknown) => {
      // What has begun cannot become an error any more: whoever began it breaks it off.
      if (call.writer.headersSent) throw error;
      if (!isForeseen(error)) request.onFailure(error);
      return call.sendError(error);
    });
    // An RPC that does not notice that its client left goes on alone, and fails alone.
    answered.catch(() => {});
    await Promise.race([answered, new Promise<void>((resolve) => call.writer.onGone(resolve))]);
  }
}

async function answerBy(routes: readonly RestRoute[], call: RestCall): Promise<void> {
  const { method = '' } = call.request;
  // What a GET answers, without the body.
  const httpMethod = method === 'HEAD' ? 'GET' : method;
  const route = routes.find((route) => route.httpMethod === httpMethod);
  if (route !== undefined) return await route.answer(call);
  const allowed = allowedMethods(routes);
  call.setHeader('allow', allowed);
  if (method === 'OPTIONS') return await call.sendText(200, '');
  throw new RestRefusal(Code.Unimplemented, `Expected ${allowed} at this path`, {
    httpStatus: 405,
  });
}

function allowedMethods(routes: readonly RestRoute[]): string {
  const methods = new Set(routes.map(({ httpMethod }) => httpMethod));
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods, 'OPTIONS'].join(', ');
}

function routeOf(binding: ReturnType<typeof bindingsOf>[number]): RestRoute {
  const { httpMethod, template } = binding;
  return { httpMethod, template, answer: (call) => transcode(binding, call) };
}

function nameOf({ httpMethod, path }: RouteName): string {
  return `${httpMethod} ${path}`;
}

function isOwn(adapter: RestAdapter): adapter is RestAdapter & OwnRoute {
  return adapter.operation !== undefined;
}

function adapterRoute({ httpMethod, path, answer }: RestAdapter): RestRoute {
  return { httpMethod, template: new PathTemplate(path), answer };
}

/** Tells all that is served here, also itself. */
function openApiAdapter(bound: readonly RestRoute[], others: readonly OwnRoute[]): RestAdapter {
  const served = new Set(
    bound.map(({ httpMethod, template }) => `${httpMethod} ${openApiPath(template)}`),
  );
  const isServed = (method: string, path: string) => served.has(`${method} ${path}`);
  let document: Promise<JsonObject> | undefined;
  const adapter: RestAdapter & OwnRoute = {
    httpMethod: 'GET',
    path: '/openapi.json',
    operation: {
      id: 'OpenApi',
      description: 'All paths of this server, their parameters and answers: this document.',
      answer: jsonAnswer({ type: 'object' }),
    },
    answer: async (call) => {
      call.refuseParameters();
      document ??= servedDocument(isServed, [...others, adapter]);
      await call.sendJson(200, await document);
    },
  };
  return adapter;
}
