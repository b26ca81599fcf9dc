import { fromJson } from '@bufbuild/protobuf';
import type { DescField, DescMessage, JsonValue, MessageShape } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { parseStrictJson } from './strict-json.ts';
import { jsonNameOf, nameOf, putText, textFields } from './field-paths.ts';
import type { FieldPath } from './field-paths.ts';
import { fieldJson, messageJson } from './message-json.ts';
import type { PathTemplate, RequestPath } from './path-template.ts';
import { readQuery } from './query-text.ts';
import { RestRefusal, Violations } from './rest-refusal.ts';
import { Mismatch } from './value-json.ts';

/** The parts of a request that fields come from. */
export type RequestParts = {
  readonly path: RequestPath;
  /** Without the question mark. */
  readonly query: string;
  /** Empty where there is none. */
  readonly body: string;
};

/** Makes the request of an RPC from path, query and body, as one of its HTTP rules says. */
export class RequestReader<Desc extends DescMessage = DescMessage> {
  readonly #desc: Desc;
  readonly #template: PathTemplate;
  /** The fields that the query may have, by each of their names. */
  readonly #inQuery = new Map<string, FieldPath>();
  readonly #inPath: ReadonlyMap<string, FieldPath>;
  /** '*': the whole request but what is in the path; undefined: the body is not looked at. */
  readonly body: '*' | DescField | undefined;
  /** The fields that the path tells, and those that the query may have. */
  readonly pathFields: readonly FieldPath[];
  readonly queryFields: readonly FieldPath[];

  /** @throws Error for a rule that names fields which are not there: a mistake in a proto */
  constructor(desc: Desc, template: PathTemplate, body: string) {
    this.#desc = desc;
    this.#template = template;
    const fields = textFields(desc);
    this.#inPath = new Map(
      template.variables.map(({ name }) => {
        const path = fields.get(name);
        if (path === undefined || path.some(({ fieldKind }) => fieldKind === 'list')) {
          throw new Error(`${template.text}: ${desc.typeName} has no single field ${name}`);
        }
        return [name, path];
      }),
    );
    this.pathFields = template.variables.flatMap(({ name, isFixed }) =>
      isFixed ? [] : [this.#inPath.get(name) ?? []],
    );
    this.body = body === '*' || body === '' ? body || undefined : fieldOf(desc, body);
    this.queryFields = [...fields.values()].filter((path) => !this.#isElsewhere(path));
    for (const path of this.queryFields) {
      this.#inQuery.set(nameOf(path), path).set(jsonNameOf(path), path);
    }
  }

  /** @throws RestRefusal INVALID_ARGUMENT that names every field which is wrong */
  read({ path, query, body }: RequestParts): MessageShape<Desc> {
    const violations = new Violations();
    const request = this.#readBody(body, violations);
    for (const [name, text] of this.#template.read(path)) {
      const field = this.#inPath.get(name);
      if (field !== undefined) putText(request, field, text, violations);
    }
    for (const [name, text] of readQuery(query)) {
      const field = this.#inQuery.get(name);
      if (field === undefined) violations.add(name.slice(0, 60), this.#unknown());
      else putText(request, field, text, violations);
    }
    for (const { name, fields } of this.#desc.oneofs) {
      if (fields.filter((field) => field.name in request).length < 2) continue;
      violations.add(name, `expected only one of ${fields.map(({ name }) => name).join(', ')}`);
    }
    violations.throwIfAny();
    try {
      return fromJson(this.#desc, request);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new RestRefusal(Code.InvalidArgument, message);
    }
  }

  #readBody(body: string, violations: Violations): Record<string, JsonValue> {
    if (this.body === undefined || body.trim() === '') return {};
    try {
      const json = parseStrictJson(body);
      if (this.body === '*') return messageJson(this.#desc, json, '', violations);
      const { name } = this.body;
      const value = fieldJson(this.body, json, name, violations);
      return value === undefined ? {} : { [name]: value };
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof Mismatch)) throw error;
      const expected = error instanceof Mismatch ? error.expected : `JSON: ${error.message}`;
      violations.add('body', `expected ${expected}`);
      return {};
    }
  }

  #isElsewhere(path: FieldPath): boolean {
    return this.body === '*' || this.body === path[0] || this.#inPath.has(nameOf(path));
  }

  #unknown(): string {
    if (this.queryFields.length === 0) return 'there are no parameters here';
    return `there is no such parameter; there are ${this.queryFields.map(nameOf).join(', ')}`;
  }
}

function fieldOf(desc: DescMessage, name: string): DescField {
  const field = desc.fields.find((field) => field.name === name);
  if (field === undefined) throw new Error(`${desc.typeName} has no field ${name}`);
  return field;
}
