import { expect } from 'vitest';

export type Schema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly examples?: readonly string[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
};

export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly description: string;
  readonly schema: Schema;
};

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

export type Operation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content: Content }>>;
};

export type OpenApi = {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

/** Every operation, with its HTTP method and path. */
export function operationsOf({ paths }: OpenApi) {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
}

/** A value that the schema allows, as a path or a query has it. */
export function sampleText(schema: Schema, name: string): string {
  const { enum: values, examples, format, items, type } = schema;
  if (items !== undefined) return sampleText(items, name);
  if (values !== undefined) return values[0] ?? '';
  if (examples !== undefined) return examples[0] ?? '';
  if (format === 'date-time') return '2026-01-02T03:04:05.000006Z';
  if (type === 'boolean') return 'true';
  if (type === 'integer' || type === 'number' || format?.includes('int') === true) return '1';
  return /instrument|symbol/u.test(name) ? 'BTCUSDT' : 'a';
}

/** What is wrong with JSON that should be of this schema: nothing that the schema does not know. */
export function mismatches(
  document: OpenApi,
  schema: Schema,
  json: unknown,
  path = '$',
): readonly string[] {
  const { $ref, type, items, properties, additionalProperties, required = [] } = schema;
  if ($ref !== undefined) {
    const name = $ref.replace('#/components/schemas/', '');
    const referred = document.components.schemas[name];
    expect(referred, $ref).toBeDefined();
    return referred === undefined ? [] : mismatches(document, referred, json, path);
  }
  if (items !== undefined) {
    if (!Array.isArray(json)) return [`${path}: expected an array`];
    return json.flatMap((each, index) => mismatches(document, items, each, `${path}[${index}]`));
  }
  if (type === 'object') {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      return [`${path}: expected an object`];
    }
    const missing = required
      .filter((name) => !(name in json))
      .map((name) => `${path}.${name}: missing`);
    return [
      ...missing,
      ...Object.entries(json).flatMap(([name, value]) => {
        const inner = properties?.[name] ?? additionalProperties;
        if (inner !== undefined) return mismatches(document, inner, value, `${path}.${name}`);
        return properties === undefined ? [] : [`${path}.${name}: unknown`];
      }),
    ];
  }
  return isOf(schema, json) ? [] : [`${path}: expected ${JSON.stringify(schema)}`];
}

function isOf({ type, format, enum: values }: Schema, json: unknown): boolean {
  if (type === 'boolean') return typeof json === 'boolean';
  if (type === 'integer') return Number.isInteger(json);
  if (type === 'number') return typeof json === 'number';
  if (typeof json !== 'string') return type === undefined;
  if (format === 'date-time') return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/u.test(json);
  if (format?.includes('int') === true) return /^-?\d+$/u.test(json);
  return values?.includes(json) ?? true;
}
