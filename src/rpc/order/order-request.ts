import type { SubmitLimitOrderRequest } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { Micros } from '../../base/clock.ts';
import { parseDecimal } from '../../base/decimal.ts';
import { defaultAccount } from '../../domain/account.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { OrderRequest } from '../../domain/order.ts';
import { Refusal } from '../../domain/refusal.ts';
import { exactMicros } from '../exact-micros.ts';
import type { InstrumentDirectory } from '../instrument-directory.ts';
import { sideFromMessage, timeInForceFromMessage } from './order-messages.ts';

export type OrderInstruments = {
  readonly directory: InstrumentDirectory;
  /** Whether quantities come with the instrument's prices. */
  readonly hasQuantities: (instrument: InstrumentName) => boolean;
};

/** What a client asks to be accepted; the timeout, in µs, is that of a GTD order without an expire time. */
export type SubmissionRequest = {
  readonly order: OrderRequest;
  readonly timeout: Micros | undefined;
};

/**
 * Reads an order that is to be accepted. Where it has no client order id, the header Idempotency-Key
 * stands for one.
 * @throws Refusal
 */
export function readSubmission(
  { directory, hasQuantities }: OrderInstruments,
  request: SubmitLimitOrderRequest,
  headers: Headers,
): SubmissionRequest {
  const instrument = directory.resolve('instrument', request.instrument);
  if (!hasQuantities(instrument)) {
    throw new Refusal(
      'failedPrecondition',
      `instrument: ${instrument} has prices alone, and no quantities to trade against`,
      { field: 'instrument' },
    );
  }
  return readSubmissionOn(instrument, request, headers);
}

/** The same, where it is known which instrument is meant. @throws Refusal */
export function readSubmissionOn(
  instrument: InstrumentName,
  request: SubmitLimitOrderRequest,
  headers: Headers,
): SubmissionRequest {
  const { expiry } = request;
  const order: OrderRequest = {
    account: accountOf(request),
    instrument,
    side: sideFromMessage(request.side),
    quantity: parseDecimal(request.quantity),
    limitPrice: parseDecimal(request.limitPrice),
    timeInForce: timeInForceFromMessage(request.timeInForce),
    expireTime: expiry.case === 'expireTime' ? exactMicros('expire_time', expiry.value) : undefined,
    clientOrderId: clientOrderIdOf(request, headers),
  };
  return { order, timeout: timeoutOf(expiry) };
}

function timeoutOf(expiry: SubmitLimitOrderRequest['expiry']): Micros | undefined {
  if (expiry.case !== 'timeout') return undefined;
  const { seconds, nanos } = expiry.value;
  if (nanos % 1000 !== 0) {
    throw new Refusal('invalid', 'timeout: expected whole microseconds', { field: 'timeout' });
  }
  return Number(seconds) * 1_000_000 + nanos / 1000;
}

/** The idempotency key; undefined: there is none. */
export function clientOrderIdOf(
  { clientOrderId }: Pick<SubmitLimitOrderRequest, 'clientOrderId'>,
  headers: Headers,
): string | undefined {
  return clientOrderId || (headers.get('idempotency-key') ?? undefined);
}

/** Whose orders a request is about. */
export function accountOf({ account }: { readonly account: string }): string {
  return account === '' ? defaultAccount : account;
}

/** The instrument that a list is restricted to; undefined: it is of all. @throws Refusal 'notFound' */
export function instrumentOf(
  directory: InstrumentDirectory,
  { instrument }: { readonly instrument: string },
): InstrumentName | undefined {
  return instrument === '' ? undefined : directory.resolve('instrument', instrument);
}
