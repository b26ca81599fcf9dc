import { generateFrames } from '../../../src/simulator/recording.ts';
import { eventually } from '../../support/eventually.ts';
import { noon } from '../a-simulator.ts';
import type { Client, SimulatorTwin } from '../a-simulator.ts';

export type Event = Readonly<Record<string, unknown>>;

export const eventsOf = (client: Client): readonly Event[] =>
  client.messages.map((text) => JSON.parse(text) as Event);

/** What the unfaulted market sends on a stream from noon on, as a raw connection gets it. */
export const trueEvents = (stream: string, seconds: number): readonly Event[] =>
  [
    ...generateFrames({
      seed: 'test',
      streams: [stream],
      from: noon,
      to: noon + seconds * 1_000_000,
    }),
  ].map(({ payload }) => JSON.parse(payload) as Event);

/** Moves the simulator's clock on as its own timers would have it. */
export const pass = ({ clock }: SimulatorTwin, seconds: number): Promise<void> =>
  clock.advance(seconds * 1_000, 100);

/**
 * Waits until everything that was sent to the client so far has come: an answer to a question comes
 * after it. The question itself counts as one of the client's five messages a second.
 */
export async function settled(client: Client): Promise<readonly Event[]> {
  const isAnswer = ({ id }: Event) => id === 'settled';
  client.send({ method: 'GET_PROPERTY', params: ['combined'], id: 'settled' });
  await eventually(() => eventsOf(client).some(isAnswer));
  const events = eventsOf(client).filter((event) => !isAnswer(event));
  client.messages.length = 0;
  client.messages.push(...events.map((event) => JSON.stringify(event)));
  return events;
}

/** A trade event to be injected. */
export const aggTrade = (a: number, more: Event = {}): Event => ({
  e: 'aggTrade',
  E: noon / 1000,
  s: 'BNBUSDT',
  a,
  p: '600.5',
  q: '2',
  f: a,
  l: a,
  T: noon / 1000,
  m: false,
  M: true,
  ...more,
});

export const trades = (first: number, count: number): readonly Event[] =>
  Array.from({ length: count }, (_, index) => aggTrade(first + index));

export type ControlState = {
  readonly connections: number;
  readonly faults: readonly Event[];
  readonly ended: readonly Event[];
  readonly acted: Readonly<Record<string, number>>;
};

export const stateOf = async ({ get }: SimulatorTwin): Promise<ControlState> =>
  (await get<ControlState>('/control')).body;
