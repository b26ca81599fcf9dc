import { create } from '@bufbuild/protobuf';
import type { Instrument } from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import { FeedState, InstrumentSchema } from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import { formatDecimal } from '../../base/decimal.ts';
import { splitInstrumentName } from '../../domain/instrument.ts';
import type { InstrumentLimits } from '../../domain/instrument.ts';
import type { InstrumentStatus } from '../../market/instrument-state.ts';
import { timestampOf } from '../messages.ts';

/** How many closed candles were held against the exchange's, and what became of them. */
export type AuditCounts = {
  readonly compared: number;
  readonly equal: number;
  readonly mended: number;
};

const feedStates = {
  live: FeedState.LIVE,
  quiet: FeedState.QUIET,
  stale: FeedState.STALE,
  gap: FeedState.GAP,
  down: FeedState.DOWN,
} as const;

export function instrumentToMessage(
  { instrument, state, reason, lastTrade, tradesReceived, tradesMissing }: InstrumentStatus,
  limits: InstrumentLimits | undefined,
  audit: AuditCounts,
): Instrument {
  const { exchange = '', symbol } = splitInstrumentName(instrument);
  const message = create(InstrumentSchema, {
    name: instrument,
    exchange,
    symbol,
    state: feedStates[state],
    reason,
    tradesReceived: BigInt(tradesReceived),
    tradesMissing: BigInt(tradesMissing),
    candlesCompared: BigInt(audit.compared),
    candlesEqual: BigInt(audit.equal),
    candlesMended: BigInt(audit.mended),
  });
  const { tickSize, lotSize, minimumNotional } = limits ?? {};
  if (tickSize !== undefined) message.tickSize = formatDecimal(tickSize);
  if (lotSize !== undefined) message.lotSize = formatDecimal(lotSize);
  if (minimumNotional !== undefined) message.minimumNotional = formatDecimal(minimumNotional);
  if (lastTrade !== undefined) {
    message.lastPrice = formatDecimal(lastTrade.price);
    message.lastTradeTime = timestampOf(lastTrade.exchangeTime);
  }
  return message;
}
