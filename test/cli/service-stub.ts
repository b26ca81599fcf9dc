import { createServer } from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { DescService } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';

/**
 * A server that answers what a test tells it to, over the real protocol: what the command line does
 * when a stream breaks in a certain place cannot be had from the real one.
 */
export async function startServiceStub<Service extends DescService>(
  service: Service,
  implementation: Partial<ServiceImpl<Service>>,
): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer(
    connectNodeAdapter({ routes: (router) => void router.service(service, implementation) }),
  );
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
