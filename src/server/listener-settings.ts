import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { flag, integer, port, quote, text, words } from '../base/env.ts';
import type { Settings, SettingValues } from '../base/env.ts';
import { maxReaderBytes } from '../rpc/broadcast/broadcast-stream.ts';
import { listenerLimits } from '../rpc/listener/listener-limits.ts';

/** Where the server listens, and what its clients may cost. */
export const listenerSettings = {
  HOST: {
    schema: text('127.0.0.1'),
    description: 'The address to listen on; another than loopback needs ALLOW_UNAUTHENTICATED=true',
  },
  PORT: {
    schema: port(8080),
    description: 'The port for gRPC, gRPC-Web, Connect and plain HTTP; 0 takes a free one',
    aliases: ['APP_GRPC_PORT', 'APP_PORT', 'HTTP_PORT'],
  },
  TLS_CERT_FILE: {
    schema: text(),
    description: 'A PEM certificate chain; with TLS_KEY_FILE the port speaks TLS',
  },
  TLS_KEY_FILE: { schema: text(), description: 'The PEM key of TLS_CERT_FILE' },
  CORS_ALLOWED_ORIGINS: {
    schema: words([]).refine(
      (origins) => origins.every(isOrigin),
      'expected origins like https://example.com, or *',
    ),
    description:
      'Origins whose pages may call besides the same host, as https://example.com; * for all; where none is named, those of localhost',
  },
  ALLOW_UNAUTHENTICATED: {
    schema: flag(false),
    description: 'Whether a HOST off loopback may be served to everybody',
  },
  MAX_CONNECTIONS: {
    schema: integer(listenerLimits.maxConnections, 1, 1_000_000),
    description: 'Connections at once; more are closed as they come',
  },
  MAX_CONNECTIONS_PER_ADDRESS: {
    schema: integer(listenerLimits.maxConnectionsPerAddress, 1, 1_000_000),
    description: 'Connections at once from one address; more are closed as they come',
  },
  MAX_STREAMS_PER_CONNECTION: {
    schema: integer(listenerLimits.maxConcurrentStreams, 1, 10_000),
    description: 'RPCs at once on one HTTP/2 connection; a client waits with more',
  },
  MAX_MESSAGE_BYTES: {
    schema: integer(listenerLimits.readMaxBytes, 1_024, 67_108_864),
    description: 'Bytes of one request message, unpacked; a longer one is RESOURCE_EXHAUSTED',
  },
  MAX_READER_BYTES: {
    schema: integer(maxReaderBytes, 65_536, 67_108_864),
    description: 'Bytes that may wait for one reader; beyond, its stream ends RESOURCE_EXHAUSTED',
  },
  MAX_READERS: {
    schema: integer(20_000, 1, 1_000_000),
    description: 'Readers of one kind of stream at once; more are refused with RESOURCE_EXHAUSTED',
  },
  SHUTDOWN_GRACE_MS: {
    schema: integer(10_000, 0, 600_000),
    description: 'Milliseconds that RPCs are left to end on SIGTERM; then they are cut off',
  },
} satisfies Settings;

export type ListenerConfig = {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly corsAllowedOrigins: readonly string[];
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxStreamsPerConnection: number;
  readonly maxMessageBytes: number;
  readonly maxReaderBytes: number;
  readonly maxReaders: number;
  readonly shutdownGraceMs: number;
};

type ListenerValues = SettingValues<typeof listenerSettings>;

export function listenerConfigOf(values: ListenerValues): ListenerConfig {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = values;
  return {
    host: hostOf(values),
    port: values.PORT,
    tls: certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined,
    corsAllowedOrigins: values.CORS_ALLOWED_ORIGINS,
    maxConnections: values.MAX_CONNECTIONS,
    maxConnectionsPerAddress: values.MAX_CONNECTIONS_PER_ADDRESS,
    maxStreamsPerConnection: values.MAX_STREAMS_PER_CONNECTION,
    maxMessageBytes: values.MAX_MESSAGE_BYTES,
    maxReaderBytes: values.MAX_READER_BYTES,
    maxReaders: values.MAX_READERS,
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
  };
}

/** What is wrong with them together, a line each. */
export function listenerProblems(values: ListenerValues): readonly string[] {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = values;
  const problems: string[] = [];
  const host = hostOf(values);
  if (!isLoopback(host) && !values.ALLOW_UNAUTHENTICATED) {
    problems.push(
      `HOST: ${host} is not loopback and no authentication is configured: expected 127.0.0.1, or ALLOW_UNAUTHENTICATED=true`,
    );
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    problems.push('TLS_CERT_FILE, TLS_KEY_FILE: expected both or none');
  }
  return [...problems, ...tlsProblems(certFile, keyFile)];
}

function hostOf({ HOST: host = '127.0.0.1' }: ListenerValues): string {
  return host;
}

/** They are read again when the port is opened; here it is said which key is wrong. */
function tlsProblems(certFile: string | undefined, keyFile: string | undefined): string[] {
  const problems: string[] = [];
  const read = (key: string, file: string | undefined) => {
    try {
      return file === undefined ? undefined : readFileSync(file);
    } catch (error) {
      problems.push(`${key}: expected a PEM file, got ${quote(file ?? '')}: ${reasonOf(error)}`);
      return undefined;
    }
  };
  const [cert, key] = [read('TLS_CERT_FILE', certFile), read('TLS_KEY_FILE', keyFile)];
  if (cert === undefined || key === undefined) return problems;
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    problems.push(
      `TLS_CERT_FILE, TLS_KEY_FILE: expected a PEM certificate and its key: ${reasonOf(error)}`,
    );
  }
  return problems;
}

/** What Node says without the path, which stands before it: "no such file or directory". */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/, \w+ '.*'$/u, '') : String(error);
}

/** What a browser sends as Origin; a slash at its end is easily typed and means the same. */
function isOrigin(text: string): boolean {
  return text === '*' || URL.parse(text)?.origin === text.replace(/\/+$/u, '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
