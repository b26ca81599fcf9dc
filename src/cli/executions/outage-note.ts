import type { ConnectError } from '@connectrpc/connect';
import type { ProgressBar } from '../progress-bar.ts';

/** Says once that there is an outage: what seems to hang is waiting. */
export function outageNote(bar: ProgressBar, patienceMs: number): (error: ConnectError) => void {
  let isSaid = false;
  return ({ rawMessage }) => {
    if (isSaid) return;
    isSaid = true;
    bar.clear();
    console.error(`${rawMessage}; trying again for up to ${patienceMs / 1000} s …`);
  };
}
