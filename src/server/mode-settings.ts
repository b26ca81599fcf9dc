import { choice, ports, settingsAreRead, url } from '../base/env.ts';
import type { Environment, Settings, SettingValues } from '../base/env.ts';
import type { Mode } from '../domain/mode.ts';
import { isFollowedIn } from './configured-exchange.ts';
import type { ConfiguredExchange, SimulatorAddress } from './configured-exchange.ts';

/** Which market is worked on, and where the simulated one is. */
export const modeSettings = {
  MODE: {
    schema: choice(['TEST', 'LIVE'], 'LIVE'),
    description:
      'LIVE follows the real exchanges, TEST their simulated twins; what it was switched to while running wins over it until it is set to something else',
  },
  SIMULATOR_URL: {
    schema: url(['http', 'https']),
    description: 'Where the simulator is, in TEST mode; without it the server starts one itself',
  },
  SIMULATOR_EXCHANGE_PORTS: {
    schema: ports([40_101, 40_102, 40_103], 10),
    description:
      'The ports of the simulator’s exchanges of JSON lines; where they are set, those are followed in TEST mode even if no EXCHANGE1_PORT … is',
  },
} satisfies Settings;

/** Where the simulated market comes from: a simulator that runs, or what one is to be started with. */
export type SimulatorConfig =
  | ({ readonly type: 'running' } & SimulatorAddress)
  | { readonly type: 'own'; readonly environment: Environment; readonly exchanges: number };

type ModeValues = SettingValues<typeof modeSettings>;

export function simulatorConfigOf(
  { SIMULATOR_URL: simulatorUrl, SIMULATOR_EXCHANGE_PORTS: exchangePorts }: ModeValues,
  environment: Environment,
  exchanges: readonly ConfiguredExchange[],
): SimulatorConfig {
  if (simulatorUrl !== undefined) return { type: 'running', url: simulatorUrl, exchangePorts };
  const numbers = exchanges.map(({ twin }) => (twin?.type === 'lines' ? twin.number : 0));
  const symbols = exchanges.find(({ twin }) => twin?.type === 'lines')?.symbols ?? [];
  return {
    type: 'own',
    // It pushes what is followed, unless it was told what else to push.
    environment: {
      ...(symbols.length === 0 ? {} : { SIMULATOR_EXCHANGE_SYMBOLS: symbols.join(' ') }),
      ...environment,
      ...settingsAreRead,
    },
    exchanges: Math.max(0, ...numbers),
  };
}

/** What is wrong with them together, a line each. */
export function modeProblems(
  values: ModeValues,
  exchanges: readonly ConfiguredExchange[],
): readonly string[] {
  const problems: string[] = [];
  const nothing = whyNotIn(values.MODE, exchanges);
  if (nothing !== undefined) problems.push(`MODE: ${nothing}`);
  if (values.SIMULATOR_URL !== undefined && values.SIMULATOR_EXCHANGE_PORTS.includes(0)) {
    problems.push('SIMULATOR_EXCHANGE_PORTS: expected the ports of SIMULATOR_URL, got 0');
  }
  return problems;
}

/** Why a mode has nothing to follow, with what was expected; undefined where it has. */
export function whyNotIn(mode: Mode, exchanges: readonly ConfiguredExchange[]): string | undefined {
  if (exchanges.some((exchange) => isFollowedIn(mode, exchange))) return undefined;
  return mode === 'TEST'
    ? 'expected BINANCE_SYMBOLS or EXCHANGE1_PORT to be set for TEST: the simulator speaks no other exchange’s protocol'
    : 'expected BINANCE_SYMBOLS, COINBASE_SYMBOLS, KRAKEN_SYMBOLS or EXCHANGE1_PORT to be set for LIVE';
}
