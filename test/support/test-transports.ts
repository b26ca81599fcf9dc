import type { Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';

export type OpenTransport = (baseUrl: string, nodeOptions?: { readonly ca?: Buffer }) => Transport;

/** Every way of asking the server: protocol, HTTP version, codec. */
export const testTransports: readonly (readonly [name: string, open: OpenTransport])[] = [
  ['gRPC', (baseUrl, nodeOptions = {}) => createGrpcTransport({ baseUrl, nodeOptions })],
  ...(['1.1', '2'] as const).flatMap((httpVersion): [string, OpenTransport][] => [
    [
      `gRPC-Web over HTTP/${httpVersion}`,
      (baseUrl, nodeOptions = {}) => createGrpcWebTransport({ baseUrl, httpVersion, nodeOptions }),
    ],
    [
      `Connect over HTTP/${httpVersion}`,
      (baseUrl, nodeOptions = {}) =>
        createConnectTransport({ baseUrl, httpVersion, nodeOptions, useBinaryFormat: true }),
    ],
    [
      `Connect with JSON over HTTP/${httpVersion}`,
      (baseUrl, nodeOptions = {}) =>
        createConnectTransport({ baseUrl, httpVersion, nodeOptions, useBinaryFormat: false }),
    ],
    [
      `Connect by GET over HTTP/${httpVersion}`,
      (baseUrl, nodeOptions = {}) =>
        createConnectTransport({ baseUrl, httpVersion, nodeOptions, useHttpGet: true }),
    ],
  ]),
];
