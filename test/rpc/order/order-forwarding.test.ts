import { expect, test } from 'vitest';
import { OrderForwarding } from '../../../src/rpc/order/order-forwarding.ts';
import { TwinClock } from '../../support/twin-clock.ts';

test.each([
  [undefined, 'No server is in charge of the instrument at the moment: try again'],
  [
    'The clock is off by 1500 ms',
    'No server is in charge of the instrument at the moment: try again. The clock is off by 1500 ms',
  ],
])('where nobody is in charge for %s that is the answer', async (reason, message) => {
  using forwarding = new OrderForwarding(new TwinClock());
  const context = {
    requestHeader: new Headers(),
    signal: new AbortController().signal,
    timeoutMs: () => undefined,
  };
  await expect(
    forwarding.ask({ type: 'nobody', reason }, context, () => Promise.resolve('asked')),
  ).rejects.toMatchObject({ reason: 'unavailable', message });
});
