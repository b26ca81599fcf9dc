import { Code } from '@connectrpc/connect';
import type { SubmitLimitOrderRequest } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { splitInstrumentName } from '../../domain/instrument.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import { simulatedPrefix } from '../../domain/mode.ts';
import type { SplitOrder } from '../../domain/order.ts';
import { Refusal } from '../../domain/refusal.ts';
import { alreadyAccepted } from '../../order/same-request.ts';
import type { OrderReader } from '../../store/order/order-reader.ts';
import { toConnectError } from '../interceptors.ts';
import { accountOf, clientOrderIdOf, readSubmissionOn } from './order-request.ts';

type RefusedSubmission = {
  readonly request: SubmitLimitOrderRequest;
  readonly headers: Headers;
  /** What it was refused with. */
  readonly refusal: unknown;
};

/** What an order is refused with whose instrument is another one by now: known, but not traded on; not known. */
const codesOfAnotherMode: readonly Code[] = [
  Code.AlreadyExists,
  Code.NotFound,
  Code.FailedPrecondition,
];

/**
 * The order that a refused one is a repetition of, where its instrument's name meant another one when it
 * came first: after a change of the mode "BTCUSDT" does. What was accepted once is answered as such.
 * @returns undefined where there is no such order: the refusal stands
 */
export async function acceptedElsewhere(
  orders: Pick<OrderReader, 'get'>,
  { request, headers, refusal }: RefusedSubmission,
  splits: number,
): Promise<SplitOrder | undefined> {
  const clientOrderId = clientOrderIdOf(request, headers);
  if (clientOrderId === undefined) return undefined;
  if (!codesOfAnotherMode.includes(toConnectError(refusal).code)) return undefined;
  const found = await orders.get({ account: accountOf(request), clientOrderId }, splits);
  if (found === undefined || !mayMean(request.instrument, found.instrument)) return undefined;
  try {
    const { order, timeout } = readSubmissionOn(found.instrument, request, headers);
    alreadyAccepted({ request: order, timeout }, found);
    return found;
  } catch (error) {
    // It is another order.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Whether a name means an instrument in one mode or the other. */
function mayMean(text: string, instrument: InstrumentName): boolean {
  const named = splitInstrumentName(text);
  const { exchange = '', symbol } = splitInstrumentName(instrument);
  const isExchange =
    named.exchange === undefined ||
    named.exchange === exchange ||
    simulatedPrefix + named.exchange === exchange;
  return isExchange && [named.symbol, named.symbol.toUpperCase()].includes(symbol);
}
