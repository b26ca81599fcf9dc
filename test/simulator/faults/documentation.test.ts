import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { aSimulator } from '../a-simulator.ts';

const page = readFileSync(new URL('../../../docs/simulator.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/`(\{"action":[^`]*\})`/g)].map(([, text = '']) => text);

test.each(examples)('the example %s is taken as it is printed', async (example) => {
  const twin = await aSimulator();
  expect(await twin.control(example)).toMatchObject({ status: 200 });
});

test('every action has an example', async () => {
  const twin = await aSimulator();
  const { body } = await twin.control<{ error: string }>({});
  const actions = /expected one of (.*), got/.exec(body.error)?.[1]?.split(', ') ?? [];
  expect(actions.length).toBeGreaterThan(15);
  const shown = examples.map((text) => (JSON.parse(text) as { action: string }).action);
  expect(actions.filter((action) => !shown.includes(action))).toEqual([]);
});
