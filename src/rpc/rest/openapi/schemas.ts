import { ScalarType } from '@bufbuild/protobuf';
import type { DescEnum, DescField, DescMessage, JsonObject } from '@bufbuild/protobuf';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';
import { enumTexts } from '../enum-text.ts';
import type { FieldPath } from '../field-paths.ts';
import type { Comments } from './comments.ts';

/** The schemas of an OpenAPI document: those of the messages and enums that were asked for. */
export class Schemas {
  readonly #comments: Comments;
  readonly #schemas = new Map<string, JsonObject>();

  constructor(comments: Comments) {
    this.#comments = comments;
  }

  /** All that were referred to, by name. */
  get components(): JsonObject {
    const names = [...this.#schemas.keys()].toSorted();
    return Object.fromEntries(names.map((name) => [name, this.#schemas.get(name) ?? {}]));
  }

  /** A message as JSON has it. */
  ofMessage(desc: DescMessage): JsonObject {
    const own = ownSchema(desc);
    if (own !== undefined) return own;
    if (!this.#schemas.has(desc.typeName)) {
      // Before its fields: it may contain itself.
      this.#schemas.set(desc.typeName, {});
      const properties = desc.fields.map((field) => [
        field.jsonName,
        {
          ...this.ofField(field),
          ...this.#described(`${desc.typeName}.${field.name}`, note(field)),
        },
      ]);
      this.#schemas.set(desc.typeName, {
        type: 'object',
        ...this.#described(desc.typeName),
        properties: Object.fromEntries(properties) as JsonObject,
      });
    }
    return { $ref: `#/components/schemas/${desc.typeName}` };
  }

  /** A field as JSON has it, in bodies and answers. */
  ofField(field: DescField): JsonObject {
    const one = this.#ofValue(field);
    if (field.fieldKind === 'list') return { type: 'array', items: one };
    return field.fieldKind === 'map' ? { type: 'object', additionalProperties: one } : one;
  }

  /** A field as paths and queries have it: enums by their short names. */
  ofText(path: FieldPath): JsonObject {
    const field = path.at(-1);
    if (field === undefined) return {};
    const one =
      field.enum === undefined
        ? this.#ofValue(field)
        : { type: 'string', enum: [...enumTexts(field.enum)] };
    const isList = path.some(({ fieldKind }) => fieldKind === 'list');
    return isList ? { type: 'array', items: one } : one;
  }

  #ofValue(field: DescField): JsonObject {
    if (field.message !== undefined) return this.ofMessage(field.message);
    return field.enum === undefined ? scalarSchema(field.scalar) : this.#ofEnum(field.enum);
  }

  #ofEnum(desc: DescEnum): JsonObject {
    const values = desc.values
      .map(({ name }) => `- ${name}: ${this.#comments.get(`${desc.typeName}.${name}`) ?? ''}`)
      .join('\n');
    this.#schemas.set(desc.typeName, {
      type: 'string',
      enum: desc.values.map(({ name }) => name),
      ...this.#described(desc.typeName, `\n\n${values}`),
    });
    return { $ref: `#/components/schemas/${desc.typeName}` };
  }

  #described(name: string, more = ''): JsonObject {
    const description = `${this.#comments.get(name) ?? ''}${more}`.trim();
    return description === '' ? {} : { description };
  }
}

function note(field: DescField): string {
  if (field.oneof === undefined) return '';
  const others = field.oneof.fields.filter((other) => other !== field);
  return ` (Not together with ${others.map(({ jsonName }) => jsonName).join(', ')}.)`;
}

/** Of messages whose JSON is not an object of their fields. */
function ownSchema(desc: DescMessage): JsonObject | undefined {
  const [wrapped] = desc.fields;
  if (isWrapperDesc(desc) && wrapped?.scalar !== undefined) return scalarSchema(wrapped.scalar);
  switch (desc.typeName) {
    case 'google.protobuf.Timestamp':
      return { type: 'string', format: 'date-time' };
    case 'google.protobuf.Duration':
      return { type: 'string', examples: ['300s', '5m'] };
    case 'google.protobuf.FieldMask':
      return { type: 'string' };
    case 'google.protobuf.Struct':
    case 'google.protobuf.Any':
      return { type: 'object' };
    case 'google.protobuf.ListValue':
      return { type: 'array' };
    case 'google.protobuf.Value':
      return {};
    default:
      return undefined;
  }
}

/** 64-bit integers are strings in JSON, whose numbers would not hold them. */
function scalarSchema(scalar: ScalarType): JsonObject {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: 'string' };
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.BYTES:
      return { type: 'string', contentEncoding: 'base64' };
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return { type: 'number' };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: 'integer', format: 'int32' };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: 'integer', format: 'uint32' };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return { type: 'string', format: 'int64' };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { type: 'string', format: 'uint64' };
    default:
      return scalar satisfies never;
  }
}
