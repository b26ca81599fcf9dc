import { port, text } from '../base/env.ts';
import type { Settings } from '../base/env.ts';

/** MarketFlow has three exchanges; some room beyond. */
export const lineExchangeNumbers = [1, 2, 3, 4, 5] as const;

const isName = (name: string | undefined) =>
  name === undefined ||
  (/^[a-z0-9]+(?:-[a-z0-9]+)*$/u.test(name) && name.length <= 24 && !name.startsWith('sim-'));

/** Some write it in capitals; there is one spelling of an exchange. */
const inLowerCase = (name: string | undefined) => name?.toLowerCase();

const name = {
  schema: text()
    .transform(inLowerCase)
    .refine(isName, 'expected letters, digits and single hyphens, at most 24, and not sim-…'),
  description: 'What that exchange is called; exchange1, exchange2, … where it is not set',
};
const host = { schema: text('127.0.0.1'), description: 'The host of that exchange' };
const portSetting = {
  schema: port(0),
  description: 'The port that pushes prices as JSON lines in LIVE mode; 0: there is none',
};

/** Where MarketFlow's exchanges are: TCP ports that push prices as JSON lines. */
export const lineExchangeSettings = {
  EXCHANGE1_NAME: name,
  EXCHANGE1_HOST: host,
  EXCHANGE1_PORT: portSetting,
  EXCHANGE2_NAME: name,
  EXCHANGE2_HOST: host,
  EXCHANGE2_PORT: portSetting,
  EXCHANGE3_NAME: name,
  EXCHANGE3_HOST: host,
  EXCHANGE3_PORT: portSetting,
  EXCHANGE4_NAME: name,
  EXCHANGE4_HOST: host,
  EXCHANGE4_PORT: portSetting,
  EXCHANGE5_NAME: name,
  EXCHANGE5_HOST: host,
  EXCHANGE5_PORT: portSetting,
} satisfies Settings;
