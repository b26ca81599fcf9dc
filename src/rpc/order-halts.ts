import { create } from '@bufbuild/protobuf';
import type {
  Halt as HaltMessage,
  HaltTradingRequest,
  ResumeTradingRequest,
} from '../../gen/tradewind/order/v1/order_service_pb.ts';
import { HaltSchema } from '../../gen/tradewind/order/v1/order_service_pb.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Halt, HaltStore } from '../store/halt-store.ts';
import { timestampOf } from './messages.ts';

/** Which account is to be halted or resumed; undefined: everything. */
export function haltedAccount({
  scope,
}: Pick<HaltTradingRequest | ResumeTradingRequest, 'scope'>): string | undefined {
  return scope.case === 'account' ? scope.value : undefined;
}

export function haltToMessage({ account = '', reason, time }: Halt): HaltMessage {
  return create(HaltSchema, { account, reason, time: timestampOf(time) });
}

/**
 * What is told of an order that was refused: where that was for a halt, with the words of who halted.
 * (The order desk knows who is halted, and not why.)
 */
export async function tellHaltReason(
  halts: Pick<HaltStore, 'list'>,
  account: string,
  refusal: unknown,
): Promise<unknown> {
  // All others that depend on the state of things are about a field.
  const isForHalt =
    refusal instanceof Refusal &&
    refusal.reason === 'failedPrecondition' &&
    refusal.field === undefined;
  if (!isForHalt) return refusal;
  const found = await halts.list().catch(() => []);
  const halt = found.find((halt) => halt.account === undefined || halt.account === account);
  if (halt === undefined || halt.reason === '') return refusal;
  return new Refusal(refusal.reason, `${refusal.message} (${halt.reason})`, { cause: refusal });
}
