import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import { ExactNumber } from '../../base/exact-json.ts';
import { OrderSide, TimeInForce } from '../../../gen/tradewind/order/v1/order_pb.ts';
import type { SubmitLimitOrderRequestSchema } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { isJsonObject } from '../rest/strict-json.ts';
import type { ExactJson } from '../rest/strict-json.ts';
import type { RestCall } from '../rest/rest-call.ts';
import { refusedField } from '../rest/rest-refusal.ts';

type Request = Exclude<
  MessageInitShape<typeof SubmitLimitOrderRequestSchema>,
  { $typeName: string }
>;

/** What the fields of a body are called; undefined: it has none of this meaning. */
export type BodyFields = {
  readonly instrument: string;
  readonly quantity: string;
  readonly limitPrice: string;
  readonly side?: string;
  readonly account?: string;
  readonly clientOrderId?: string;
};

/**
 * Reads an order to be submitted from a JSON body, numbers with the digits that were written. Without
 * a side it sells. The header Idempotency-Key stands for a client order id.
 * @throws RestRefusal that names the body's field
 */
export function readOrderBody(
  call: RestCall,
  body: ExactJson,
  fields: BodyFields,
  expiry: NonNullable<Request['expiry']>,
): Request {
  if (!isJsonObject(body)) throw refusedField('body', 'expected a JSON object');
  const known = new Set<string>(Object.values(fields));
  const unknown = Object.keys(body).find((name) => !known.has(name));
  if (unknown !== undefined) {
    // The trade executors passed over it; but what was meant by "side" is not to be guessed.
    const names = [...known].join(', ');
    throw refusedField(unknown.slice(0, 60), `there is no such field; there are ${names}`);
  }
  const textOf = (name: string | undefined) => (name === undefined ? '' : readText(body, name));
  return {
    account: textOf(fields.account),
    instrument: requiredText(body, fields.instrument),
    quantity: decimalText(body, fields.quantity),
    limitPrice: decimalText(body, fields.limitPrice),
    side: sideOf(fields.side ?? '', textOf(fields.side)),
    timeInForce: expiry.case === undefined ? TimeInForce.GTC : TimeInForce.GTD,
    expiry,
    clientOrderId: textOf(fields.clientOrderId) || (call.header('idempotency-key') ?? ''),
  };
}

/** The body that is read, as OpenAPI tells it. */
export function orderBodySchema(fields: BodyFields, required: readonly string[]): JsonObject {
  const names: readonly string[] = Object.values(fields);
  const decimals: readonly string[] = [fields.quantity, fields.limitPrice];
  const schemaOf = (name: string) => ({ type: decimals.includes(name) ? decimalTypes : 'string' });
  return {
    type: 'object',
    required: [...required],
    properties: Object.fromEntries(names.map((name) => [name, schemaOf(name)])),
  };
}

/** Digits are read as they are written, with quotation marks or without. */
const decimalTypes = ['string', 'number'];

type Body = { readonly [name: string]: ExactJson };

function readText(body: Body, name: string): string {
  const value = body[name] ?? null;
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (value instanceof ExactNumber) return value.source;
  throw refusedField(name, 'expected a text or a number');
}

function requiredText(body: Body, name: string): string {
  const text = readText(body, name);
  if (text === '') throw refusedField(name, 'expected a value, got none');
  return text;
}

/** The rest of the rules is the contract's; here it is made sure that a refusal names this field. */
function decimalText(body: Body, name: string): string {
  const text = requiredText(body, name);
  if (/^\d{1,15}(?:\.\d{1,18})?$/u.test(text) && /[1-9]/u.test(text)) return text;
  throw refusedField(
    name,
    `expected a decimal above 0 with at most 15 digits before and 18 after the point, got ${text.slice(0, 60)}`,
  );
}

function sideOf(name: string, text: string): OrderSide {
  const side = text.toUpperCase();
  if (side === '' || side === 'SELL') return OrderSide.SELL;
  if (side === 'BUY') return OrderSide.BUY;
  throw refusedField(name, 'expected SELL or BUY');
}
