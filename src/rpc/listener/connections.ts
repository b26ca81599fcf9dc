import type { Socket } from 'node:net';

/** Why a connection was refused or closed by us. */
export type ConnectionRefusal = 'total' | 'address' | 'pings' | 'keepalive';

/** The open connections, with their bounds: in all, and of one client address. */
export class Connections {
  readonly #maxTotal: number;
  readonly #maxPerAddress: number;
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  /** How many were refused or closed, by reason. */
  readonly refused: Record<ConnectionRefusal, number> = {
    total: 0,
    address: 0,
    pings: 0,
    keepalive: 0,
  };

  constructor(limits: { readonly maxTotal: number; readonly maxPerAddress: number }) {
    this.#maxTotal = limits.maxTotal;
    this.#maxPerAddress = limits.maxPerAddress;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Takes a new connection in, or closes it. @returns whether it was taken in */
  admit(socket: Socket): boolean {
    // Whatever serves the socket later listens, too; before and after that nobody does.
    socket.on('error', () => {});
    // Not known once the peer has left again.
    const address = socket.remoteAddress ?? '';
    const ofAddress = this.#perAddress.get(address) ?? 0;
    const isFull = this.#sockets.size >= this.#maxTotal;
    if (isFull || ofAddress >= this.#maxPerAddress) {
      this.refused[isFull ? 'total' : 'address']++;
      socket.destroy();
      return false;
    }
    this.#sockets.add(socket);
    this.#perAddress.set(address, ofAddress + 1);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
    return true;
  }

  /** Closes all that are still open, without a word. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
