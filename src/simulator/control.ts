import { Refusal } from '../domain/refusal.ts';
import { invalid } from './control-fields.ts';
import type { Action, Body, Controlled } from './controlled.ts';
import { acceptThenClose } from './faults/accept-then-close.ts';
import { alter } from './faults/alter.ts';
import { clearer } from './faults/clear.ts';
import { cut } from './faults/cut.ts';
import { dayCut } from './faults/day-cut.ts';
import { delay } from './faults/delay.ts';
import { drop } from './faults/drop.ts';
import { duplicate } from './faults/duplicate.ts';
import { garbage } from './faults/garbage.ts';
import { refuse } from './faults/refuse.ts';
import { reorder } from './faults/reorder.ts';
import { serverShutdown } from './faults/server-shutdown.ts';
import { rest } from './faults/spoil-rest.ts';
import { stall } from './faults/stall.ts';
import { ignoreSubscriptions, loseSubscription } from './faults/subscriptions.ts';
import { symbolStatus } from './faults/symbol-status.ts';
import { vanish } from './faults/vanish.ts';
import { inject, resume, send } from './injection.ts';
import { exchangeActions } from './line-control.ts';

/** What stays in force until its bound is reached or it is cleared. */
const faults = {
  acceptThenClose,
  alter,
  dayCut,
  delay,
  drop,
  duplicate,
  ignoreSubscriptions,
  refuse,
  reorder,
  rest,
  serverShutdown,
  stall,
  symbolStatus,
  vanish,
};

/** Everything that can be asked for, by the name in `action`. docs/simulator.md has an example of each. */
const actions: ReadonlyMap<string, Action> = new Map(
  Object.entries({
    inject,
    resume,
    send,
    clear: clearer(Object.keys(faults)),
    cut,
    garbage,
    loseSubscription,
    ...faults,
  }),
);

/** What `GET /control` answers: symbols that are paused, who is connected, what goes wrong. */
export function controlState(controlled: Controlled): unknown {
  const { market, subscribers, connections, faults, exchanges } = controlled;
  return {
    paused: market.paused(),
    listening: subscribers.all().size,
    connections: connections.size,
    exchanges: Object.fromEntries([...exchanges].map(([name, each]) => [name, each.state()])),
    ...faults.state(),
  };
}

/**
 * Does what a control request asks for and says what was done.
 * @throws Refusal naming the field that is wrong and what was expected
 */
export function control(text: string, controlled: Controlled): unknown {
  const body = parseBody(text);
  const name = body['action'];
  const known = 'exchange' in body ? exchangeActions : actions;
  const action = typeof name === 'string' ? known.get(name) : undefined;
  if (action === undefined) {
    throw invalid('action', `one of ${[...known.keys()].join(', ')}`, name);
  }
  return action(body, controlled);
}

function parseBody(text: string): Body {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refusal('invalid', 'body: expected JSON like {"action":"inject","symbol":"BNBUSDT"}');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid('body', 'an object', body);
  }
  return body as Body;
}
