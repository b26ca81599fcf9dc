import { create } from '@bufbuild/protobuf';
import type {
  Halt as HaltMessage,
  HaltTradingRequest,
  ResumeTradingRequest,
} from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { HaltSchema } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { Halt } from '../../store/order/halt-store.ts';
import { timestampOf } from '../messages.ts';

/** Which account is to be halted or resumed; undefined: everything. */
export function haltedAccount({
  scope,
}: Pick<HaltTradingRequest | ResumeTradingRequest, 'scope'>): string | undefined {
  return scope.case === 'account' ? scope.value : undefined;
}

export function haltToMessage({ account = '', reason, time }: Halt): HaltMessage {
  return create(HaltSchema, { account, reason, time: timestampOf(time) });
}
