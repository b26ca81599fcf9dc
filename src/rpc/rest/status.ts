import type { JsonObject } from '@bufbuild/protobuf';
import { ViolationsSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import type { FieldPath } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { Code, ConnectError } from '@connectrpc/connect';
import { Refusal } from '../../domain/refusal.ts';
import { toConnectError } from '../interceptors.ts';
import { RestRefusal } from './rest-refusal.ts';
import type { FieldViolation } from './rest-refusal.ts';

/** The HTTP status of each code, as gateways map them. */
const httpStatuses: Readonly<Record<Code, number>> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

/** An error as plain HTTP tells it: its status, and a google.rpc.Status as JSON. */
export type RestStatus = {
  readonly httpStatus: number;
  readonly code: Code;
  readonly message: string;
  /** The fields that are wrong. */
  readonly violations: readonly FieldViolation[];
  readonly json: JsonObject;
};

/** Whether an error is an answer; those of RPCs, also the others, are logged where they arise. */
export function isForeseen(error: unknown): boolean {
  return error instanceof RestRefusal || error instanceof Refusal || error instanceof ConnectError;
}

/** What a client is told of an error; of an unforeseen one no more than that. */
export function restStatus(error: unknown): RestStatus {
  if (error instanceof RestRefusal) {
    const { code, message, violations } = error;
    return statusOf(error.httpStatus ?? httpStatuses[code], { code, message, violations });
  }
  const told = toConnectError(error);
  const { code, rawMessage: message } = told;
  const details = otherDetailsOf(told);
  return statusOf(httpStatuses[code], { code, message, violations: violationsOf(told) }, details);
}

function statusOf(
  httpStatus: number,
  status: Pick<RestStatus, 'code' | 'message' | 'violations'>,
  others: readonly JsonObject[] = [],
): RestStatus {
  const { code, message, violations } = status;
  const details = violations.length === 0 ? [...others] : [badRequest(violations), ...others];
  return { httpStatus, ...status, json: { code, message, details } };
}

function violationsOf(error: ConnectError): FieldViolation[] {
  return error
    .findDetails(ViolationsSchema)
    .flatMap(({ violations }) => violations)
    .map(({ field: path, message }) => {
      const field = path === undefined ? '' : pathText(path);
      // A refusal's own words begin with the field that they are about.
      return { field, description: message.replace(`${field}: `, '') };
    });
}

/** Of the errors that crossed a protocol, details have their JSON with them. */
function otherDetailsOf(error: ConnectError): JsonObject[] {
  return error.details.flatMap((detail) =>
    'type' in detail && detail.type !== ViolationsSchema.typeName
      ? [{ '@type': `type.googleapis.com/${detail.type}`, ...objectIn(detail.debug) }]
      : [],
  );
}

function badRequest(violations: readonly FieldViolation[]): JsonObject {
  return {
    '@type': 'type.googleapis.com/google.rpc.BadRequest',
    fieldViolations: violations.map(({ field, description }) => ({ field, description })),
  };
}

/** "selections[0].timeframe" */
function pathText({ elements }: FieldPath): string {
  return elements
    .map(({ fieldName, subscript: { case: kind, value } }, index) => {
      const name = index === 0 ? fieldName : `.${fieldName}`;
      if (kind === undefined) return name;
      return `${name}[${typeof value === 'string' ? JSON.stringify(value) : value}]`;
    })
    .join('');
}

function objectIn(json: unknown): JsonObject {
  return typeof json === 'object' && json !== null ? (json as JsonObject) : {};
}
