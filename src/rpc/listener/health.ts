import { Code, ConnectError } from '@connectrpc/connect';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import type { HealthCheckRequest } from '../../../gen/grpc/health/v1/health_pb.ts';

/** Whether the server and each of its services can serve. "" names the server as a whole. */
export class HealthStatus {
  readonly #services = new Map<string, boolean>([['', false]]);
  readonly #watchers = new Set<() => void>();
  #isStopping = false;

  /** Sets whether a service is serving; ignored once the server is stopping. */
  set(service: string, isServing: boolean): void {
    if (this.#isStopping || this.#services.get(service) === isServing) return;
    this.#services.set(service, isServing);
    this.#tell();
  }

  /** Sets all to not serving, for good. */
  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    for (const service of this.#services.keys()) this.#services.set(service, false);
    this.#tell();
  }

  /** Undefined for a service that is not known. */
  isServing(service: string): boolean | undefined {
    return this.#services.get(service);
  }

  get services(): ReadonlyMap<string, boolean> {
    return this.#services;
  }

  /** Calls back after each change, until disposed. */
  watch(callback: () => void): Disposable {
    this.#watchers.add(callback);
    return { [Symbol.dispose]: () => void this.#watchers.delete(callback) };
  }

  #tell(): void {
    for (const callback of this.#watchers) callback();
  }
}

/** Serves grpc.health.v1 from the status. */
export function healthRoutes(router: ConnectRouter, health: HealthStatus): void {
  router.service(Health, {
    check({ service }) {
      const isServing = health.isServing(service);
      if (isServing === undefined) {
        throw new ConnectError(`There is no service ${JSON.stringify(service)}`, Code.NotFound);
      }
      return { status: statusOf(isServing) };
    },
    watch: (request, context) => watch(health, request, context),
    list() {
      const statuses = [...health.services].map(([service, isServing]) => [
        service,
        { status: statusOf(isServing) },
      ]);
      return { statuses: Object.fromEntries(statuses) };
    },
  });
}

/** Sends the status now and whenever it has changed; what changed and changed back is not told. */
async function* watch(
  health: HealthStatus,
  { service }: HealthCheckRequest,
  { signal }: HandlerContext,
): AsyncGenerator<{ status: ServingStatus }> {
  let wake: (() => void) | undefined;
  using _watcher = health.watch(() => wake?.());
  const abort = () => wake?.();
  signal.addEventListener('abort', abort, { once: true });
  let sent: ServingStatus | undefined;
  try {
    for (;;) {
      const changed = Promise.withResolvers<void>();
      wake = changed.resolve;
      const status = statusOf(health.isServing(service));
      if (status !== sent) yield { status: (sent = status) };
      else {
        signal.throwIfAborted();
        await changed.promise;
      }
    }
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function statusOf(isServing: boolean | undefined): ServingStatus {
  if (isServing === undefined) return ServingStatus.SERVICE_UNKNOWN;
  return isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
}
