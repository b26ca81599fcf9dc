import { defaultAccount } from '../../domain/account.ts';
import type { PositionName } from '../../domain/position.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { InstrumentDirectory } from '../instrument-directory.ts';
import { positionInstrument } from './position-instrument.ts';

/**
 * The position that a request is about.
 * @throws Refusal for an instrument that is none
 */
export function positionNameOf(
  directory: InstrumentDirectory,
  { account, instrument }: { readonly account: string; readonly instrument: string },
): PositionName {
  return {
    account: account || defaultAccount,
    instrument: positionInstrument(directory, 'instrument', instrument),
  };
}

/** @throws Refusal: there is nothing to tell, at that time or at all */
export function refuseForNoExecutions({ account, instrument }: PositionName, at?: number): never {
  const when = at === undefined ? '' : ' at or before that time';
  throw new Refusal(
    'notFound',
    `There are no executions of ${instrument} in the account ${account}${when}`,
  );
}
