import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import type { StreamCandlesResponse } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import {
  MarketService,
  StreamCandlesResponseSchema,
} from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { Candle } from '../../src/domain/candle.ts';
import { candleToMessage } from '../../src/rpc/messages.ts';
import { startServiceStub } from './service-stub.ts';

/** A server whose MarketService answers what a test tells it to. */
export const startMarketStub = (implementation: Partial<ServiceImpl<typeof MarketService>>) =>
  startServiceStub(MarketService, implementation);

/** An element of a candle stream. */
export function streamed(
  candle: Candle,
  cursor: string,
  { repeat = false } = {},
): StreamCandlesResponse {
  const event = { case: 'candle', value: candleToMessage(candle) } as const;
  return create(StreamCandlesResponseSchema, { cursor, event, repeat });
}
