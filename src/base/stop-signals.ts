import type { Clock } from './clock.ts';

/**
 * A Ctrl-C reaches a program twice when npm runs it: from the terminal, and from npm, which passes
 * it on. Within this time two signals are one wish.
 */
const sameWishMs = 1000;

/** How long a program whose parent died may take to end before it is cut off. */
const orphanGraceMs = 10_000;

export type StopReason = 'SIGTERM' | 'SIGINT' | 'the parent process ended';

/**
 * Calls `onStop` once when the process is told to stop, and `onInsist` when it is told so again. A
 * process that was started with an IPC channel also stops when its parent is gone, however it died:
 * the channel's end is the only thing that a killed parent still tells.
 */
export function onStopRequested(
  clock: Clock,
  onStop: (reason: StopReason) => void,
  onInsist: () => void,
): Disposable {
  let askedAtMs: number | undefined;
  const request = (reason: StopReason) => {
    if (askedAtMs === undefined) {
      askedAtMs = clock.monotonicMs();
      onStop(reason);
    } else if (clock.monotonicMs() - askedAtMs > sameWishMs) onInsist();
  };
  const onTerm = () => request('SIGTERM');
  const onInterrupt = () => request('SIGINT');
  const onDisconnect = () => {
    request('the parent process ended');
    clock.setTimer(orphanGraceMs, onInsist);
  };
  process.on('SIGTERM', onTerm);
  process.on('SIGINT', onInterrupt);
  process.on('disconnect', onDisconnect);
  // Undefined without a channel; false when the parent was gone before we came here.
  if ((process.connected as boolean | undefined) === false) onDisconnect();
  return {
    [Symbol.dispose]: () => {
      process.off('SIGTERM', onTerm);
      process.off('SIGINT', onInterrupt);
      process.off('disconnect', onDisconnect);
    },
  };
}
