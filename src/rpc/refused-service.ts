import type { DescService } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import { Refusal } from '../domain/refusal.ts';

/** A service of a server that lacks what it needs: every RPC is UNAVAILABLE, with the reason. */
export function refusedService<Service extends DescService>(
  service: Service,
  reason: string,
): Partial<ServiceImpl<Service>> {
  const refuse = (): never => {
    throw new Refusal('unavailable', reason);
  };
  const methods = service.methods.map(({ localName }) => [localName, refuse]);
  // Every method of the service is there, whatever it answers.
  return Object.fromEntries(methods) as Partial<ServiceImpl<Service>>;
}
