import { create, toBinary } from '@bufbuild/protobuf';
import { StreamCandlesResponseSchema } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { MarketUpdate } from '../../src/market/market-update.ts';
import { candleToMessage } from '../../src/rpc/messages.ts';

/** A market's `publish` that encodes every candle as its gRPC message, and counts the bytes. */
export class CandleEncoder {
  bytes = 0;

  readonly publish = (update: MarketUpdate): void => {
    if (update.type !== 'candle') return;
    const value = candleToMessage(update.candle);
    const message = create(StreamCandlesResponseSchema, { event: { case: 'candle', value } });
    this.bytes += toBinary(StreamCandlesResponseSchema, message).length;
  };
}
