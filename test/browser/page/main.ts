import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import { Timeframe } from '../../../gen/tradewind/market/v1/candle_pb.ts';
import { MarketService } from '../../../gen/tradewind/market/v1/market_service_pb.ts';

// The page is told where the server is, and how to ask it, in its address.
const query = new URLSearchParams(location.search);
const open = query.get('protocol') === 'grpc-web' ? createGrpcWebTransport : createConnectTransport;
const client = createClient(MarketService, open({ baseUrl: query.get('server') ?? '' }));

await Promise.all([showCandles(), showRefusal()]);

/** Lists the candles of a stream as they come. */
async function showCandles(): Promise<void> {
  const selections = [{ instrument: 'BTCUSDT', timeframe: Timeframe.S1 }];
  try {
    for await (const { event } of client.streamCandles({ selections })) {
      if (event.case !== 'candle') continue;
      const { instrument, close, closed } = event.value;
      const line = document.createElement('li');
      line.textContent = `${instrument} ${closed ? 'closed' : 'is'} at ${close}`;
      document.querySelector('#candles')?.append(line);
    }
  } catch (error) {
    show('#failure', error);
  }
}

/** Shows what the server says to a request that it cannot fulfil. */
async function showRefusal(): Promise<void> {
  try {
    await client.listCandles({ instrument: 'NOSUCH', timeframe: Timeframe.M1 });
  } catch (error) {
    show('#refusal', error);
  }
}

function show(place: string, error: unknown): void {
  const { code, rawMessage } = ConnectError.from(error);
  const element = document.querySelector(place);
  if (element !== null) element.textContent = `${Code[code]}: ${rawMessage}`;
}
