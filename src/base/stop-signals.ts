import { repeat } from './clock.ts';
import type { Clock } from './clock.ts';
import type { Environment } from './env.ts';

/**
 * A Ctrl-C reaches a program twice when npm runs it: from the terminal, and from npm, which passes
 * it on. Within this time two signals are one wish.
 */
const sameWishMs = 1000;

/** How long a program whose parent died may take to end before it is cut off. */
const orphanGraceMs = 10_000;

/** How soon a program that npm runs notices that npm is gone. */
const parentCheckMs = 250;

export type StopReason = 'SIGTERM' | 'SIGINT' | 'the parent process ended';

export type StopHandlers = {
  /** Called once, when the process is told to stop. */
  readonly onStop: (reason: StopReason) => void;
  /** Called when it is told so again, or does not stop after its parent ended. */
  readonly onInsist: () => void;
};

/**
 * Watches for the end of the process being asked for: by a signal, or by its parent's end, however
 * that died. A process that was started with an IPC channel learns of it from the channel. One that
 * npm runs has to look: the shell between them dies of the signal that npm passes on, and passes
 * nothing on itself.
 */
export function onStopRequested(
  clock: Clock,
  environment: Environment,
  { onStop, onInsist }: StopHandlers,
): Disposable {
  using stack = new DisposableStack();
  let askedAtMs: number | undefined;
  const request = (reason: StopReason) => {
    if (askedAtMs === undefined) {
      askedAtMs = clock.monotonicMs();
      onStop(reason);
    } else if (clock.monotonicMs() - askedAtMs > sameWishMs) onInsist();
  };
  let isOrphan = false;
  const onParentEnd = () => {
    if (isOrphan) return;
    isOrphan = true;
    request('the parent process ended');
    clock.setTimer(orphanGraceMs, onInsist);
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const onSignal = () => request(signal);
    process.on(signal, onSignal);
    stack.defer(() => process.off(signal, onSignal));
  }
  process.on('disconnect', onParentEnd);
  stack.defer(() => process.off('disconnect', onParentEnd));
  // Undefined without a channel; false when the parent was gone before we came here.
  if ((process.connected as boolean | undefined) === false) onParentEnd();

  if (environment['npm_lifecycle_event'] !== undefined) {
    const parent = process.ppid;
    const check = () => {
      if (process.ppid !== parent) onParentEnd();
    };
    stack.use(repeat(clock, parentCheckMs, check));
  }
  return stack.move();
}
