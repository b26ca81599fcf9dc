import { Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PriceService } from '../../gen/tradewind/market/v1/price_service_pb.ts';
import { OrderSide, TimeInForce, WaitReason } from '../../gen/tradewind/order/v1/order_pb.ts';
import { OrderService } from '../../gen/tradewind/order/v1/order_service_pb.ts';
import { Mode, SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { readServerConfig } from '../../src/server/config.ts';
import { startServer } from '../../src/server/start-server.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { eventually } from '../support/eventually.ts';
import { createTestDatabase } from '../support/postgres.ts';

type Environment = Readonly<Record<string, string>>;

const surroundings = { clock: systemClock, logger: silentLogger };

async function aSimulatedMarket(): Promise<string> {
  const config = readSimulatorConfig({ SIMULATOR_PORT: '0' }, {});
  const simulator = await startSimulator(config, surroundings);
  onTestFinished(() => simulator[Symbol.asyncDispose]());
  return simulator.url;
}

/** A server whose Binance and whose simulator are one and the same, in LIVE mode. */
async function aServer(environment: Environment = {}) {
  const url = await aSimulatedMarket();
  const server = await startServer(
    readServerConfig({
      PORT: '0',
      MODE: 'LIVE',
      BINANCE_SYMBOLS: 'BTCUSDT',
      BINANCE_WEBSOCKET_BASE_URL: url.replace(/^http/u, 'ws'),
      BINANCE_REST_BASE_URL: url,
      SIMULATOR_URL: url,
      HISTORY_CANDLES: '0',
      SHUTDOWN_GRACE_MS: '1000',
      ...environment,
    }),
    surroundings,
  );
  let isOver = false;
  const end = async () => {
    if (!isOver) await server[Symbol.asyncDispose]();
    isOver = true;
  };
  onTestFinished(end);
  const transport = createGrpcTransport({ baseUrl: server.url });
  const system = createClient(SystemService, transport);
  return {
    system,
    orders: createClient(OrderService, transport),
    url: server.url,
    end,
    setMode: (mode: Mode) => system.setMode({ mode }),
    mode: async () => (await system.getMode({})).mode,
    feeds: async () => {
      const { feeds } = await system.getHealth({});
      return feeds.map(({ exchange, status }) => `${exchange} ${status}`);
    },
  };
}

describe('a switch', () => {
  test('changes what bare names mean, and what is told of the server', async () => {
    const server = await aServer();
    await eventually(async () => expect(await server.feeds()).toEqual(['binance ok']));
    expect(await server.setMode(Mode.TEST)).toMatchObject({
      mode: Mode.TEST,
      changed: true,
      message: 'Switched to TEST mode',
    });
    expect(await server.system.getServerInfo({})).toMatchObject({
      mode: Mode.TEST,
      defaultExchange: 'sim-binance',
    });
    expect(await server.system.getMode({})).toMatchObject({
      exchanges: ['sim-binance'],
      kept: false,
    });
    await eventually(async () => expect(await server.feeds()).toEqual(['sim-binance ok']));
    const listed = await fetch(`${server.url}/v1/instruments?exchange=binance`);
    expect(await listed.json()).toMatchObject({ instruments: [{ name: 'sim-binance:BTCUSDT' }] });
  });

  test('is followed by the streams of latest prices', async () => {
    const server = await aServer();
    const prices = createClient(PriceService, createGrpcTransport({ baseUrl: server.url }));
    const leaving = new AbortController();
    const told: string[] = [];
    const reading = (async () => {
      const { signal } = leaving;
      for await (const { event } of prices.streamLatestPrices({}, { signal })) {
        if (event.case === 'latestPrice') told.push(event.value.exchange);
      }
    })().catch((error: unknown) => {
      if (!leaving.signal.aborted) throw error;
    });
    for (const mode of [Mode.LIVE, Mode.TEST, Mode.LIVE]) {
      await server.setMode(mode);
      const already = told.length;
      const expected = mode === Mode.TEST ? 'sim-binance' : 'binance';
      await eventually(() => expect(told.slice(already)).toContain(expected));
    }
    leaving.abort();
    await reading;
  });

  test('to the mode that is on is an answer', async () => {
    const server = await aServer();
    expect(await server.setMode(Mode.LIVE)).toMatchObject({
      changed: false,
      message: 'The server is in LIVE mode already',
    });
  });

  test('comes after those that were asked for before it: the last one wins', async () => {
    const server = await aServer();
    const asked = [Mode.TEST, Mode.LIVE, Mode.LIVE, Mode.TEST, Mode.LIVE, Mode.TEST];
    const answers = await Promise.all(asked.map((mode) => server.setMode(mode)));
    expect(answers.map(({ mode }) => mode)).toEqual(asked);
    expect(answers.map(({ changed }) => changed)).toEqual([true, true, false, true, true, true]);
    expect(await server.mode()).toBe(Mode.TEST);
    await eventually(async () => expect(await server.feeds()).toEqual(['sim-binance ok']));
  });

  test('is refused where too many wait', async () => {
    // That of its own takes a second to start.
    const server = await aServer({ SIMULATOR_URL: '' });
    const asked = Array.from({ length: 20 }, () => server.setMode(Mode.TEST));
    const answers = await Promise.allSettled(asked);
    const refused = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as unknown] : [],
    );
    expect(refused).toHaveLength(4);
    for (const reason of refused) expect(reason).toMatchObject({ code: Code.ResourceExhausted });
  });

  test('to a mode in which nothing is configured is refused', async () => {
    const exchanges = { BINANCE_SYMBOLS: '', COINBASE_SYMBOLS: 'BTC-USD' };
    const server = await aServer({ ...exchanges, COINBASE_REST_BASE_URL: 'http://127.0.0.1:1' });
    await expect(server.setMode(Mode.TEST)).rejects.toMatchObject({
      code: Code.FailedPrecondition,
      rawMessage: expect.stringContaining('expected BINANCE_SYMBOLS'),
    });
  });

  test('to a simulator that does not start leaves the mode on, and says why', async () => {
    const server = await aServer({ SIMULATOR_URL: '', SIMULATOR_EXCHANGE_RATE: 'many' });
    await eventually(async () => expect(await server.feeds()).toEqual(['binance ok']));
    await expect(server.setMode(Mode.TEST)).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage:
        'TEST mode cannot be gone over to, LIVE stays on: The simulator cannot run with this configuration',
    });
    expect(await server.feeds()).toEqual(['binance ok']);
  });

  test('starts a simulator where there is none, and ends it with its mode', async () => {
    const server = await aServer({ SIMULATOR_URL: '', EXCHANGE2_PORT: '1' });
    await server.setMode(Mode.TEST);
    await eventually(async () =>
      expect(await server.feeds()).toEqual(['sim-binance ok', 'sim-exchange2 ok']),
    );
    await server.setMode(Mode.LIVE);
    expect(await server.mode()).toBe(Mode.LIVE);
  });
});

describe('where there is a database', () => {
  test('the mode is kept for the next start, until another one is configured', async () => {
    const databaseUrl = await createTestDatabase();
    const environment = { DATABASE_URL: databaseUrl };
    const first = await aServer(environment);
    await first.setMode(Mode.TEST);
    expect(await first.system.getMode({})).toMatchObject({ kept: true });
    await first.end();
    const second = await aServer(environment);
    expect(await second.mode()).toBe(Mode.TEST);
    await second.setMode(Mode.LIVE);
    await second.end();
    const third = await aServer({ ...environment, MODE: 'TEST' });
    expect(await third.mode()).toBe(Mode.TEST);
  });

  test('a mode that cannot be kept is not gone over to', async () => {
    const server = await aServer({ DATABASE_URL: 'postgres://127.0.0.1:1/none' });
    await expect(server.setMode(Mode.TEST)).rejects.toMatchObject({
      code: Code.Unavailable,
      rawMessage: expect.stringMatching(/LIVE stays on: connect ECONNREFUSED/u),
    });
    expect(await server.mode()).toBe(Mode.LIVE);
  });

  test('an order of the mode that was left waits, and says why', async () => {
    const server = await aServer({ DATABASE_URL: await createTestDatabase() });
    const request = {
      clientOrderId: 'one',
      instrument: 'BTCUSDT',
      side: OrderSide.BUY,
      quantity: '1',
      limitPrice: '10000',
      timeInForce: TimeInForce.GTC,
    };
    let orderId = '';
    await eventually(async () => {
      const { order } = await server.orders.submitLimitOrder(request);
      orderId = order?.orderId ?? '';
      expect(order?.instrument).toBe('binance:BTCUSDT');
    });
    const waits = async () =>
      (await server.orders.getOrder({ order: { case: 'orderId', value: orderId } })).order;
    await eventually(async () => expect((await waits())?.waitReason).toBe(WaitReason.PRICE));
    await server.setMode(Mode.TEST);
    expect(await waits()).toMatchObject({
      instrument: 'binance:BTCUSDT',
      waitReason: WaitReason.NO_FEED,
      waitingFor: expect.stringContaining('The server is in TEST mode'),
    });
    await server.setMode(Mode.LIVE);
    await eventually(async () => expect((await waits())?.waitReason).toBe(WaitReason.PRICE));
  });
});

test('prices without quantities fill no orders, in the mode that is off neither', async () => {
  const exchange = { EXCHANGE1_PORT: '1', SIMULATOR_URL: '' };
  const server = await aServer({ DATABASE_URL: await createTestDatabase(), ...exchange });
  const submitted = server.orders.submitLimitOrder({
    clientOrderId: 'one',
    instrument: 'sim-exchange1:BTCUSDT',
    side: OrderSide.BUY,
    quantity: '1',
    limitPrice: '10000',
    timeInForce: TimeInForce.GTC,
  });
  await expect(submitted).rejects.toMatchObject({
    code: Code.FailedPrecondition,
    rawMessage: expect.stringContaining('no quantities to trade against'),
  });
});

describe('over plain HTTP', () => {
  test.each([
    ['POST', '/mode/test', 200, { mode: 'MODE_TEST', changed: true }],
    ['POST', '/mode/live', 200, { mode: 'MODE_LIVE', changed: false }],
    ['POST', '/mode/paper', 400, { code: 3 }],
    ['GET', '/mode', 200, { mode: 'MODE_LIVE', exchanges: ['binance'], kept: false }],
    ['GET', '/v1/mode', 200, { mode: 'MODE_LIVE' }],
    ['GET', '/mode/test', 405, { code: 12 }],
  ])('%s %s is answered with %i', async (method, path, status, body) => {
    const { url } = await aServer();
    const response = await fetch(url + path, { method });
    expect([response.status, await response.json()]).toEqual([
      status,
      expect.objectContaining(body),
    ]);
  });

  test.each(['{"mode": "live"}', '{"mode": "test"}', 'live'])(
    'POST /mode/test with %s in its body is refused, and changes nothing',
    async (body) => {
      const { url, mode } = await aServer();
      const response = await fetch(`${url}/mode/test`, { method: 'POST', body });
      expect([response.status, await mode()]).toEqual([400, Mode.LIVE]);
      expect(await response.json()).toMatchObject({ code: 3 });
    },
  );

  test('/health is 200 while a feed is open, and 503 when none is or Postgres is not', async () => {
    const health = async (url: string) => {
      const response = await fetch(`${url}/health`);
      const { status } = (await response.json()) as { status: string };
      return [response.status, status];
    };
    const whole = await aServer();
    await eventually(async () => expect(await health(whole.url)).toEqual([200, 'ok']));
    const nowhere = await aServer({ BINANCE_WEBSOCKET_BASE_URL: 'ws://127.0.0.1:1' });
    expect(await health(nowhere.url)).toEqual([503, 'down']);
    const storeless = await aServer({ DATABASE_URL: 'postgres://127.0.0.1:1/none' });
    expect(await health(storeless.url)).toEqual([503, 'down']);
  });
});
