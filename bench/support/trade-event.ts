import { create } from '@bufbuild/protobuf';
import { StreamTradesResponseSchema } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { StreamTradesResponse } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { parseDecimal } from '../../src/base/decimal.ts';
import type { Trade } from '../../src/domain/trade.ts';
import { tradeToMessage } from '../../src/rpc/messages.ts';
import { commonMicros } from './process-cost.ts';

const price = parseDecimal('60000.12');
const quantity = parseDecimal('0.00123');

/** A trade whose received time is now, on the clock that the readers' process shares. */
export function tradeNow(id: number, instrument = 'binance:BTCUSDT'): Trade {
  const now = commonMicros();
  return {
    type: 'trade',
    instrument,
    id,
    price,
    quantity,
    takerSide: 'buy',
    exchangeTime: now,
    eventTime: now,
    receivedTime: now,
    firstTradeId: id,
    lastTradeId: id,
  };
}

/** The same as a message of StreamTrades, some 120 bytes. */
export function tradeMessage(id: number): StreamTradesResponse {
  return create(StreamTradesResponseSchema, {
    cursor: 'c1.1767225600000000.1234567.1767225600000000',
    event: { case: 'trade', value: tradeToMessage(tradeNow(id)) },
  });
}
