import { streamName } from '../channel-streams.ts';
import type { ControlMessage, Decoded, Decoder, DecoderOptions } from '../exchange.ts';
import { parseExactJson } from '../../base/exact-json.ts';
import { isFields } from '../fields.ts';
import type { Fields } from '../fields.ts';
import { JsonDecoder } from '../json-decoder.ts';
import type { Frame } from '../json-decoder.ts';
import { readTicker, readTrade } from './payloads.ts';
import { krakenSymbol } from './symbols.ts';

/** Reads Kraken's frames of WebSocket v2; what is of no use is counted and left. */
export function createKrakenDecoder(options: DecoderOptions): Decoder {
  let lastUpdateId = 0;
  /**
   * Tickers have no update id. Theirs is their time in µs, or the next number where two have the
   * same: it rises on a connection, and as the successor of a connection tells the same times, it
   * does not begin anew with that. A mere count would.
   */
  const nextUpdateId = (time: number) => {
    lastUpdateId = Math.max(lastUpdateId + 1, time);
    return lastUpdateId;
  };
  return new JsonDecoder(options, {
    parse: parseExactJson,
    symbolOf: krakenSymbol,
    read: (message, frame) => readFrame(message, frame, nextUpdateId),
  });
}

function readFrame(message: Fields, frame: Frame, nextUpdateId: (time: number) => number): Decoded {
  const { channel, method, type, data } = message;
  // {"channel":"heartbeat"}
  if (channel === 'heartbeat') return undefined;
  // A snapshot of trades is from before the subscription, and not asked for.
  if (channel === 'trade' && type !== 'snapshot') return frame.events(data, 'symbol', readTrade);
  if (channel === 'ticker') {
    return frame.events(data, 'symbol', (fields, context) =>
      readTicker(fields, context, nextUpdateId),
    );
  }
  if (method === 'subscribe' || method === 'unsubscribe' || message.success === false) {
    return frame.tell(readAnswer(message));
  }
  // Among them the status of the system, which comes with every connect, and what is new.
  return frame.ignore();
}

/**
 * One for each symbol of a request.
 *
 *     {"method":"subscribe","result":{"channel":"trade","snapshot":false,"symbol":"BTC/USD"},"success":true,
 *      "time_in":"2022-12-25T09:30:59.123456Z","time_out":"2022-12-25T09:30:59.123456Z"}
 *     {"error":"Currency pair not supported X/Y","method":"subscribe","success":false,"symbol":"X/Y",…}
 */
function readAnswer({ method, success, error, result, symbol: ownSymbol }: Fields): ControlMessage {
  const { channel, symbol = ownSymbol } = isFields(result) ? result : {};
  const known = typeof channel === 'string' ? [channel] : ['trade', 'ticker'];
  const streams = known.map((name) => streamName(name, String(symbol)));
  if (success !== true) {
    const isNamed = typeof symbol === 'string';
    const reason = typeof error === 'string' ? error.slice(0, 200) : 'Refused';
    return { type: 'refused', streams: isNamed ? streams : undefined, error: reason };
  }
  return method === 'subscribe'
    ? { type: 'inForce', streams, isAll: false }
    : { type: 'ended', streams };
}
