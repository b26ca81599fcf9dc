import { Code, ConnectError } from '@connectrpc/connect';
import { restStatus } from '../rest/status.ts';
import type { BodyFields } from './order-body.ts';

/** An error in the words of a body's fields: "price: expected a multiple of 0.01". */
export type ToldError = {
  readonly httpStatus: number;
  readonly code: Code;
  readonly message: string;
};

/** The contract's names of the fields that a body has names of its own for. */
const contractNames: Readonly<Record<keyof BodyFields, string>> = {
  instrument: 'instrument',
  quantity: 'quantity',
  limitPrice: 'limit_price',
  side: 'side',
  account: 'account',
  clientOrderId: 'client_order_id',
};

export function toldError(error: unknown, fields: BodyFields): ToldError {
  const { httpStatus, violations, message, code } = restStatus(error);
  const told = violations.map(
    ({ field, description }) => `${nameOf(field, fields)}: ${description}`,
  );
  return { httpStatus, code, message: told.length === 0 ? message : told.join('; ') };
}

function nameOf(contractName: string, fields: BodyFields): string {
  const names: readonly (readonly [string, string])[] = Object.entries(contractNames);
  const key = names.find(([, name]) => name === contractName)?.[0];
  const own: Readonly<Record<string, string | undefined>> = fields;
  return (key === undefined ? undefined : own[key]) ?? contractName;
}

/** Whether an RPC did not know the instrument. */
export function isUnknownInstrument(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.NotFound;
}
