import { expect, test } from 'vitest';
import { runToEnd } from '../support/run-program.ts';
import { timestampOf } from '../../src/rpc/messages.ts';
import { noon } from '../support/builders.ts';
import { anOrder, order } from './order-stub.ts';

const halt = { account: '', reason: 'audit', time: timestampOf(noon) };

test.each([
  ['--everything', ['--everything'], { case: 'everything', value: true }],
  ['--account', ['--account', 'alice'], { case: 'account', value: 'alice' }],
])('what %s names is halted and resumed', async (_name, flags, scope) => {
  const scopes: unknown[] = [];
  const take = (request: { readonly scope: unknown }) => {
    scopes.push(request.scope);
    return { halts: [halt] };
  };
  const stub = { haltTrading: take, resumeTrading: take };
  const halted = await order(stub, ['halt', ...flags, '--reason', 'audit']);
  expect([halted.exitCode, halted.stdout]).toEqual([
    0,
    'Halted: everything, since 2026-01-01T12:00:00Z: audit\n',
  ]);
  expect((await order(stub, ['resume', ...flags])).exitCode).toBe(0);
  expect(scopes).toEqual([scope, scope]);
});

test('halts are told to whoever asks', async () => {
  const some = await order({ listHalts: () => ({ halts: [halt] }) }, ['halts', '--json']);
  expect(JSON.parse(some.stdout)).toEqual({
    account: '',
    reason: 'audit',
    time: '2026-01-01T12:00:00Z',
  });
  const none = await order({ listHalts: () => ({ halts: [] }) }, ['halts']);
  expect([none.exitCode, none.stdout]).toEqual([0, 'Nothing is halted\n']);
});

test.each(['show', 'cancel', 'watch'])('%s finds an order by its owner’s id', async (verb) => {
  const names: unknown[] = [];
  const answer = (request: { readonly order: unknown }) => {
    names.push(request.order);
    return { order: anOrder() };
  };
  const { exitCode, stdout } = await order(
    {
      getOrder: answer,
      cancelOrder: answer,
      async *streamOrderEvents() {
        yield { event: { case: 'order', value: anOrder() } };
      },
    },
    [verb, '--client-order-id', 'mine'],
  );
  expect([exitCode, names[0]]).toEqual([0, { case: 'clientOrderId', value: 'mine' }]);
  expect(stdout).toContain('Order order-1');
});

const sell = ['sell', 'BNBUSDT', '25', '42'];

test.each([
  [['sell', 'BNBUSDT', '25'], /missing required argument 'price'/u],
  [['sell', 'BNBUSDT', 'abc', '1'], /argument 'quantity'. Expected a decimal above 0 with/u],
  [['buy', 'BNBUSDT', '1', '0.00'], /argument 'price'. Expected a decimal above 0 with/u],
  [[...sell, '--tif', 'day'], /Allowed choices are gtc, gtd, ioc, fok/u],
  [[...sell, '--tif', 'gtd'], /--tif gtd needs a --timeout/u],
  [[...sell, '--tif', 'ioc', '--timeout', '3s'], /only gtd orders expire/u],
  [[...sell, '--timeout', '30'], /Expected a duration like 30s/u],
  [[...sell, '--client-order-id', 'a b'], /Expected 1 to 64 visible ASCII characters/u],
  [[...sell, '--account', 'a b'], /Expected 1 to 64 letters, digits/u],
  [['show'], /expected an order’s id, or --client-order-id/u],
  [['cancel', 'order-1', '--client-order-id', 'mine'], /not both/u],
  [['halt'], /expected --account <name> or --everything/u],
  [['halt', '--account', 'alice', '--everything'], /expected --account <name> or --everything/u],
  [['resume'], /expected --account <name> or --everything/u],
  [['list', '-n', '0'], /Expected a number from 1 to 10000/u],
  [['list', '--status', 'new'], /Allowed choices are open, filled, canceled, expired/u],
])('order %j is refused with what was expected', async (args, message) => {
  const { exitCode, stderr } = await runToEnd('cli', ['order', ...args]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
