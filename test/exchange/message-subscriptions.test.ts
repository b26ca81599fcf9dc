import { expect, test } from 'vitest';
import { LogLimiter } from '../../src/base/log-limiter.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { MessageSubscriptions } from '../../src/exchange/message-subscriptions.ts';
import { TwinClock } from '../support/twin-clock.ts';

const symbols = ['A', 'B', 'C'];

/** Subscriptions to a trade and a ticker stream of each symbol, and all that they do. */
function openSubscriptions(requestsPerSecond = 100) {
  const clock = new TwinClock();
  const sent: string[] = [];
  const told: string[] = [];
  const keeper = new MessageSubscriptions({
    subscription: {
      path: '',
      symbols,
      streams: new Map(symbols.map((symbol) => [symbol, [`trade:${symbol}`, `ticker:${symbol}`]])),
    },
    requests: {
      by: 'message',
      subscribe: (streams) => [`+ ${streams.join(' ')}`],
      unsubscribe: (streams) => [`- ${streams.join(' ')}`],
    },
    send: (text) => sent.push(text),
    begun: () => told.push('begun'),
    failed: (reason) => told.push(`failed: ${reason}`),
    missing: (symbol, reason) => told.push(`${symbol} missing: ${reason}`),
    inForce: (symbol) => told.push(`${symbol} in force`),
    settings: {
      requestsPerSecond,
      requestTimeoutMs: 5000,
      auditEveryMs: 300_000,
      subscribeAttempts: 3,
    },
    clock,
    logger: silentLogger,
    logLimiter: new LogLimiter(clock, 60_000),
  });
  const confirm = (...of: readonly string[]) =>
    keeper.take({
      type: 'inForce',
      streams: of.flatMap((symbol) => [`trade:${symbol}`, `ticker:${symbol}`]),
      isAll: false,
    });
  /** Lets what was told be acted upon, and time pass. */
  const pass = async (ms = 0) => {
    for (let passed = 0; passed <= ms; passed += 500) {
      await clock.advance(Math.min(500, ms));
      keeper.tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { keeper, sent, told, confirm, pass, clock };
}

const all = '+ trade:A ticker:A trade:B ticker:B trade:C ticker:C';

test('all are asked for together, and begun when all are confirmed', async () => {
  const { keeper, sent, told, confirm, pass } = openSubscriptions();
  expect(sent).toEqual([all]);
  confirm('A', 'B');
  await pass();
  expect(told).toEqual([]);
  confirm('C');
  await pass();
  expect(told).toEqual(['begun']);
  expect(keeper.isChecked).toBe(true);
  await pass(600_000);
  expect(sent).toEqual([all]);
});

test('where they are refused together, each is asked for by itself', async () => {
  const { keeper, sent, told, confirm, pass } = openSubscriptions();
  keeper.take({ type: 'refused', streams: undefined, error: 'B is not a valid product' });
  await pass();
  expect(sent.slice(1)).toEqual(['+ trade:A ticker:A']);
  confirm('A');
  await pass();
  expect(told.filter((word) => !word.includes('missing'))).toEqual(['begun']);
  keeper.take({ type: 'refused', streams: undefined, error: 'B is not a valid product' });
  await pass();
  confirm('C');
  await pass();
  expect(sent.slice(1)).toEqual(['+ trade:A ticker:A', '+ trade:B ticker:B', '+ trade:C ticker:C']);
  expect(told.at(-1)).toBe('C in force');
  expect([...keeper.unavailable]).toEqual([['B', 'B is not a valid product']]);
  expect(keeper.isChecked).toBe(true);
});

test('what was refused is asked for again every five minutes', async () => {
  const { keeper, sent, told, confirm, pass } = openSubscriptions();
  confirm('A', 'C');
  const refuse = () =>
    keeper.take({ type: 'refused', streams: ['trade:B', 'ticker:B'], error: 'Not listed yet' });
  refuse();
  await pass();
  refuse();
  await pass(1000);
  const asked = sent.length;
  await pass(290_000);
  expect(sent).toHaveLength(asked);
  await pass(10_000);
  expect(sent.slice(asked)).toEqual(['+ trade:B ticker:B']);
  confirm('B');
  await pass();
  expect(told.at(-1)).toBe('B in force');
  expect(keeper.unavailable.size).toBe(0);
});

test('what the exchange ends of its own accord is noticed, and asked for again at once', async () => {
  const { keeper, sent, told, confirm, pass } = openSubscriptions();
  confirm('A', 'B', 'C');
  await pass();
  keeper.take({ type: 'inForce', streams: ['trade:A', 'ticker:A', 'trade:B'], isAll: true });
  await pass();
  expect(told.slice(1)).toEqual([
    'B missing: The exchange does not confirm its subscription',
    'C missing: The exchange does not confirm its subscription',
  ]);
  expect(sent.at(-1)).toBe('+ ticker:B');
  confirm('B');
  await pass();
  expect(sent.at(-1)).toBe('+ trade:C ticker:C');
  confirm('C');
  await pass();
  expect(told.slice(-2)).toEqual(['B in force', 'C in force']);
});

test('a symbol that is renewed is ended and begun, and told to be in force', async () => {
  const { keeper, sent, told, confirm, pass } = openSubscriptions();
  confirm('A', 'B', 'C');
  await pass();
  keeper.renew('B');
  await pass();
  expect(sent.at(-1)).toBe('- trade:B ticker:B');
  keeper.take({ type: 'ended', streams: ['trade:B', 'ticker:B'] });
  await pass();
  expect(sent.at(-1)).toBe('+ trade:B ticker:B');
  confirm('B');
  await pass();
  expect(told).toEqual(['begun', 'B in force']);
});

test('an end that is not confirmed does not keep a renewed symbol from its beginning', async () => {
  const { keeper, sent, told, confirm, pass } = openSubscriptions();
  confirm('A', 'B', 'C');
  await pass();
  keeper.renew('B');
  await pass(5500);
  expect(sent.at(-1)).toBe('+ trade:B ticker:B');
  confirm('B');
  await pass();
  expect(told.at(-1)).toBe('B in force');
});

test.each([
  ['nobody answers', undefined, 'failed: The exchange does not answer the subscription'],
  [
    'everything is refused',
    'Not from your country',
    'failed: The exchange delivers nothing: Not from your country',
  ],
])('where %s, that is told, within bounds', async (_name, error, word) => {
  const { keeper, told, pass } = openSubscriptions();
  for (let second = 0; second < 20; second++) {
    if (error !== undefined) keeper.take({ type: 'refused', streams: undefined, error });
    await pass(1000);
  }
  expect(told.at(-1)).toBe(word);
  expect(told).not.toContain('begun');
});

test('no more is said in a second than the exchange allows', async () => {
  const { keeper, sent, pass } = openSubscriptions(1);
  keeper.take({ type: 'refused', streams: undefined, error: 'No' });
  await pass(400);
  expect(sent).toHaveLength(1);
  await pass(1000);
  expect(sent).toHaveLength(2);
});

test('when it is closed nothing more is said, and no timer stays', async () => {
  const { keeper, sent, told, confirm, pass, clock } = openSubscriptions();
  keeper[Symbol.dispose]();
  confirm('A');
  await pass(10_000);
  expect(sent).toEqual([all]);
  expect(told).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});
