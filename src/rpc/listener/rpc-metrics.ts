import type { DescMethod } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { Counter, Histogram } from 'prom-client';
import type { Registry } from '../../base/metrics.ts';

/** Seconds; the streams' own lives are far beyond the last one and say little. */
const buckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

/** The RPC metrics under the names that gRPC dashboards know. */
export class RpcMetrics {
  readonly #started: Counter;
  readonly #handled: Counter;
  readonly #seconds: Histogram;

  constructor(registry: Registry) {
    const labelNames = ['grpc_type', 'grpc_service', 'grpc_method'];
    const registers = [registry];
    this.#started = new Counter({
      name: 'grpc_server_started_total',
      help: 'RPCs that began',
      labelNames,
      registers,
    });
    this.#handled = new Counter({
      name: 'grpc_server_handled_total',
      help: 'RPCs that ended, by status code',
      labelNames: [...labelNames, 'grpc_code'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'grpc_server_handling_seconds',
      help: 'Seconds from the beginning of an RPC to its end',
      labelNames,
      buckets,
      registers,
    });
  }

  started(method: DescMethod): void {
    this.#started.inc(labelsOf(method));
  }

  /** `code` undefined means OK. */
  handled(method: DescMethod, code: Code | undefined, durationMs: number): void {
    const labels = labelsOf(method);
    this.#handled.inc({ ...labels, grpc_code: codeName(code) });
    this.#seconds.observe(labels, durationMs / 1000);
  }
}

/** A code's name as gRPC writes it: "OK", "InvalidArgument". */
export function codeName(code: Code | undefined): string {
  return code === undefined ? 'OK' : (Code[code] ?? 'Unknown');
}

function labelsOf({ methodKind, parent, name }: DescMethod) {
  const grpc_type =
    methodKind === 'bidi_streaming' ? 'bidi_stream' : methodKind.replace('streaming', 'stream');
  return { grpc_type, grpc_service: parent.typeName, grpc_method: name };
}
