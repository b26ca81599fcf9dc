import type { CallOptions, HandlerContext } from '@connectrpc/connect';
import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { ShardOwner } from '../../order/order-desk.ts';
import { openServerClient } from '../client.ts';
import type { OrderClient, ServerClient } from '../client.ts';

/** Set on what another server sends on: it is not sent on again. */
export const forwardedHeader = 'tradewind-forwarded';
/** What the owner may take, of the caller's deadline: an acceptance is one commit. */
const timeoutMs = 10_000;
/** Servers on one database; addresses of those that are gone make room. */
const maximumClients = 64;

/** Takes requests on orders to the server that is in charge of them, once. */
export class OrderForwarding implements Disposable {
  readonly #clock: Clock;
  readonly #clients = new Map<string, ServerClient>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Asks the owner, with the caller's deadline.
   * @throws Refusal 'unavailable' where there is no owner, or this came from a server that took us
   * for it; ConnectError as the owner answers
   */
  async ask<Answer>(
    owner: Exclude<ShardOwner, { type: 'here' }>,
    context: Pick<HandlerContext, 'requestHeader' | 'signal' | 'timeoutMs'>,
    ask: (client: OrderClient, options: CallOptions) => Promise<Answer>,
  ): Promise<Answer> {
    if (owner.type === 'nobody' || context.requestHeader.has(forwardedHeader)) {
      const reason = owner.type === 'nobody' ? owner.reason : undefined;
      const message = 'No server is in charge of the instrument at the moment: try again';
      throw new Refusal('unavailable', reason === undefined ? message : `${message}. ${reason}`);
    }
    return await ask(this.#clientOf(owner.url).orders, {
      signal: context.signal,
      timeoutMs: Math.min(context.timeoutMs() ?? timeoutMs, timeoutMs),
      headers: { [forwardedHeader]: '1' },
    });
  }

  #clientOf(url: string): ServerClient {
    const known = this.#clients.get(url);
    if (known !== undefined) return known;
    for (const [oldest, client] of this.#clients) {
      if (this.#clients.size < maximumClients) break;
      client[Symbol.dispose]();
      this.#clients.delete(oldest);
    }
    const client = openServerClient(url, { clock: this.#clock });
    this.#clients.set(url, client);
    return client;
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client[Symbol.dispose]();
  }
}
