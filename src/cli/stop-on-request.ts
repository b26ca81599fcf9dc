import { systemClock } from '../base/clock.ts';
import type { Environment } from '../base/env.ts';
import { onStopRequested } from '../base/stop-signals.ts';

/** What may end a command before its time. */
export type StopRequest = Disposable & {
  readonly signal: AbortSignal;
  abort(reason: Error): void;
};

/**
 * A signal that is aborted, for this reason, when the command is told to stop; told so again, the
 * process ends at once. Disposing it ends the watch.
 */
export function stopOnRequest(environment: Environment, reason?: Error): StopRequest {
  const stop = new AbortController();
  const watch = onStopRequested(systemClock, environment, {
    onStop: () => stop.abort(reason),
    onInsist: () => process.exit(1),
  });
  return {
    signal: stop.signal,
    abort: (error) => stop.abort(error),
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}
