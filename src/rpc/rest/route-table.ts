import type { PathTemplate, RequestPath } from './path-template.ts';
import type { RestCall } from './rest-call.ts';

/** An HTTP method, and a path as google.api.http writes it: "POST", "/order/limit". */
export type RouteName = {
  readonly httpMethod: string;
  readonly path: string;
};

/** Who answers one HTTP method at the paths of a template. */
export type RestRoute = {
  readonly httpMethod: string;
  readonly template: PathTemplate;
  readonly answer: (call: RestCall) => Promise<void>;
};

/** Finds the routes of a path; of several that match, the more definite ones come first. */
export class RouteTable {
  readonly #routes: readonly RestRoute[];

  /** @throws Error when two have the same method and paths: a mistake in the protos */
  constructor(routes: readonly RestRoute[]) {
    const shapes = new Set<string>();
    for (const { httpMethod, template } of routes) {
      const shape = `${httpMethod} ${template.shape}`;
      if (shapes.has(shape)) throw new Error(`Expected one route at ${shape}`);
      shapes.add(shape);
    }
    this.#routes = routes.toSorted((a, b) => a.template.rank.localeCompare(b.template.rank));
  }

  /** All routes of a path, of whatever HTTP method. */
  matching(path: RequestPath): readonly RestRoute[] {
    return this.#routes.filter(({ template }) => template.matches(path));
  }
}
