import { create } from '@bufbuild/protobuf';
import type { DescMethod } from '@bufbuild/protobuf';
import type { Validator } from '@bufbuild/protovalidate';
import { ViolationsSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Interceptor } from '@connectrpc/connect';
import { createValidateInterceptor } from '@connectrpc/validate';
import type { Clock } from '../base/clock.ts';
import { LogLimiter } from '../base/log-limiter.ts';
import type { Logger } from '../base/logger.ts';
import { Refusal } from '../domain/refusal.ts';
import type { RefusalReason } from '../domain/refusal.ts';
import { codeName } from './listener/rpc-metrics.ts';
import type { RpcMetrics } from './listener/rpc-metrics.ts';

export type InterceptorOptions = {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: RpcMetrics;
  readonly validator: Validator;
};

/** What every RPC goes through, the outermost first: counting and logging, errors, validation. */
export function rpcInterceptors(options: InterceptorOptions): Interceptor[] {
  return [
    observeRpcs(options),
    translateErrors,
    endAtDeadline,
    createValidateInterceptor({ validator: options.validator }),
  ];
}

/**
 * Makes a validator compile the rules of these methods' requests: the first one costs some 50 ms of
 * the event loop, which belong into the start, not into somebody's first request.
 */
export function warmValidator(validator: Validator, methods: readonly DescMethod[]): void {
  for (const { input } of methods) validator.validate(input, create(input));
}

/** One line for each failing RPC and code in this time: a client can make it fail as it likes. */
const failureLogPeriodMs = 10_000;

/** Counts and logs; of streams, when they end. */
function observeRpcs({ logger, clock, metrics }: InterceptorOptions): Interceptor {
  const limiter = new LogLimiter(clock, failureLogPeriodMs);
  const observe = (method: DescMethod) => {
    const startMs = clock.monotonicMs();
    metrics.started(method);
    return (error?: ConnectError) => {
      const durationMs = clock.monotonicMs() - startMs;
      metrics.handled(method, error?.code, durationMs);
      const rpc = `${method.parent.typeName}/${method.name}`;
      const fields = { rpc, code: codeName(error?.code), durationMs: Math.round(durationMs) };
      const cause = troubleOf(error);
      if (cause !== undefined) {
        const due = limiter.due(`${rpc} ${fields.code}`);
        if (due === undefined) return;
        logger.warn({ ...fields, ...due, err: cause }, 'RPC failed');
      } else {
        logger.debug(
          error === undefined ? fields : { ...fields, reason: error.rawMessage },
          'RPC ended',
        );
      }
    };
  };
  return (next) => async (request) => {
    const ended = observe(request.method);
    try {
      const response = await next(request);
      if (!response.stream) {
        ended();
        return response;
      }
      return { ...response, message: observed(response.message, ended) };
    } catch (error) {
      ended(ConnectError.from(error));
      throw error;
    }
  };
}

/** What is to be logged of an error: a mistake of ours, or the outage behind a refusal. */
function troubleOf(error: ConnectError | undefined): unknown {
  if (error?.code === Code.Internal || error?.code === Code.Unknown) return error.cause ?? error;
  if (error?.code !== Code.Unavailable) return undefined;
  return error.cause instanceof Refusal ? error.cause.cause : undefined;
}

/** The same messages; `ended` is told once, however the stream ends. */
async function* observed<T>(
  messages: AsyncIterable<T>,
  ended: (error?: ConnectError) => void,
): AsyncGenerator<T> {
  // Overwritten where the reader did not leave in the middle.
  let outcome: ConnectError | undefined = new ConnectError('The client left', Code.Canceled);
  try {
    yield* messages;
    outcome = undefined;
  } catch (error) {
    outcome = ConnectError.from(error);
    throw error;
  } finally {
    ended(outcome);
  }
}

/** The status code of each kind of refusal. */
export const codeOfReason: Readonly<Record<RefusalReason, Code>> = {
  invalid: Code.InvalidArgument,
  notFound: Code.NotFound,
  outOfRange: Code.OutOfRange,
  alreadyExists: Code.AlreadyExists,
  failedPrecondition: Code.FailedPrecondition,
  limit: Code.ResourceExhausted,
  unavailable: Code.Unavailable,
};

/** What a client is told: refusals in their words, everything unforeseen as "internal error". */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  if (error instanceof Refusal) {
    const code = codeOfReason[error.reason];
    return new ConnectError(error.message, code, undefined, violationsOf(error), error);
  }
  return new ConnectError('internal error', Code.Internal, undefined, undefined, error);
}

/** The wrong field, in the shape in which the validator tells wrong fields. */
function violationsOf({ field, message }: Refusal) {
  if (field === undefined) return [];
  const elements = field.split('.').map((fieldName) => ({ fieldName }));
  const violation = { field: { elements }, message };
  return [{ desc: ViolationsSchema, value: { violations: [violation] } }];
}

const translateErrors: Interceptor = (next) => async (request) => {
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: translated(response.message) } : response;
  } catch (error) {
    throw toConnectError(error);
  }
};

async function* translated<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw toConnectError(error);
  }
}

/** Answers a unary RPC at its deadline, also when its handler does not look at its signal. */
const endAtDeadline: Interceptor = (next) => async (request) => {
  request.signal.throwIfAborted();
  return request.stream ? await next(request) : await beforeAbort(next(request), request.signal);
};

async function beforeAbort<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  // A stopping server lets the RPCs at hand finish; a deadline or a client that left ends them.
  const abort = () => {
    if (ConnectError.from(signal.reason).code !== Code.Unavailable) aborted.reject(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([answer, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
