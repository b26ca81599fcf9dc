import { streamName } from '../channel-streams.ts';
import type { ControlMessage, Decoded, Decoder, DecoderOptions } from '../exchange.ts';
import { isFields, readId, readSymbol, WireError } from '../fields.ts';
import type { Fields } from '../fields.ts';
import { JsonDecoder } from '../json-decoder.ts';
import type { Frame } from '../json-decoder.ts';
import { joinedPair } from '../pair-symbol.ts';
import { readMatch, readTicker } from './payloads.ts';

/** Reads Coinbase's frames; what is of no use is counted and left. */
export function createCoinbaseDecoder(options: DecoderOptions): Decoder {
  return new JsonDecoder(options, { symbolOf: joinedPair, read: readFrame });
}

function readFrame(message: Fields, frame: Frame): Decoded {
  switch (message.type) {
    case 'match':
      return frame.event(message, 'product_id', readMatch);
    case 'ticker':
      return frame.event(message, 'product_id', readTicker);
    case 'heartbeat':
      return frame.tell(readHeartbeat(message));
    case 'subscriptions':
      return frame.tell(readSubscriptions(message));
    case 'error':
      return frame.tell(readError(message));
    default:
      if (typeof message.type !== 'string') {
        throw new WireError('field', 'type: expected the name of a message');
      }
      // Among them last_match: it happened before the subscription, and REST tells it, too.
      return frame.ignore();
  }
}

/**
 * /exchange/websocket-feed/channels: each second, for each product. It is known to have named the
 * trade 0 for months (go-coinbasepro#89); that proves nothing then, and breaks nothing.
 *
 *     {"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2014-11-07T08:19:28.464459Z"}
 */
function readHeartbeat(message: Fields): ControlMessage {
  const symbol = joinedPair(readSymbol(message, 'product_id'));
  return { type: 'lastTradeId', symbol, id: readId(message, 'last_trade_id') };
}

/**
 * The answer to every request: all that is subscribed now.
 *
 *     {"type":"subscriptions","channels":[{"name":"matches","product_ids":["BTC-USD"]}]}
 */
function readSubscriptions({ channels }: Fields): ControlMessage {
  const named: unknown[] = Array.isArray(channels) ? channels : [];
  const streams = named.flatMap((channel) => {
    if (!isFields(channel)) return [];
    const { name, product_ids: products } = channel;
    return Array.isArray(products)
      ? products.map((product) => streamName(String(name), String(product)))
      : [];
  });
  return { type: 'inForce', streams, isAll: true };
}

/**
 * One product that it does not know makes it refuse the whole request (coinbase-pro-node#174).
 *
 *     {"type":"error","message":"Failed to subscribe","reason":"BTC-XYZ is not a valid product"}
 */
function readError({ message, reason }: Fields): ControlMessage {
  const error = [message, reason].filter((text) => typeof text === 'string').join(': ');
  return { type: 'refused', streams: undefined, error: error.slice(0, 200) || 'Refused' };
}
