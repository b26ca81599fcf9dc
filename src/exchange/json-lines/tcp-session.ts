import { repeat } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { MarketEventHandler } from '../../domain/market-event.ts';
import { sampleOf } from '../bad-frame.ts';
import type { FrameHandler } from '../capture.ts';
import type { JsonLinesDecoder } from '../json-lines.ts';
import { Liveness } from '../liveness.ts';
import type { TcpFeedBounds } from './tcp-feed-settings.ts';
import { LineSplitter } from './tcp-lines.ts';
import { openTcp } from './tcp-socket.ts';
import type { OpenTcp, TcpAddress } from './tcp-socket.ts';

/** What all sessions of a feed share. */
export type TcpSessionSurroundings = {
  readonly address: TcpAddress;
  readonly decoder: JsonLinesDecoder;
  readonly handle: MarketEventHandler;
  /** Is shown every line that is text before it is read. */
  readonly onFrame: FrameHandler | undefined;
  readonly bounds: TcpFeedBounds;
  readonly clock: Clock;
};

export type TcpSessionListener = {
  /** The connection is up: names it. */
  opened(): string;
  ticked(): void;
};

/** One attempt to connect and, if it succeeds, the connection until its end. */
export class TcpSession {
  /** Why it ended, or never came about. */
  readonly ended: Promise<string>;
  readonly liveness: Liveness;
  readonly #surroundings: TcpSessionSurroundings;
  readonly #listener: TcpSessionListener;
  readonly #socket: OpenTcp;
  readonly #lines: LineSplitter;
  readonly #resources = new DisposableStack();
  /** Instruments of which this connection has delivered nothing yet. */
  readonly #unheard = new Set<InstrumentName>();
  #connection: string | undefined;
  /** When the chunk came that is being read. */
  #receivedTime = 0;
  #isOver = false;

  constructor(surroundings: TcpSessionSurroundings, listener: TcpSessionListener) {
    const { address, bounds, decoder } = surroundings;
    this.#surroundings = surroundings;
    this.#listener = listener;
    this.liveness = new Liveness(bounds.tickMs);
    this.#lines = new LineSplitter(bounds.maximumLineBytes, {
      line: (text) => this.#read(text),
      notText: (bytes) => {
        this.liveness.otherSigns++;
        decoder.counters.frames++;
        decoder.refuse('binary', 'Expected UTF-8', sampleOf(bytes.toString('latin1')));
      },
    });
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#socket = openTcp(
      address,
      {
        opened: () => this.#open(),
        chunk: (bytes) => this.#take(bytes),
        ended: (reason) => {
          this.#end(reason);
          resolve(reason);
        },
      },
      { clock: surroundings.clock, connectTimeoutMs: bounds.connectTimeoutMs },
    );
  }

  /** Drops the connection, or the attempt; nothing is told any more. */
  close(reason: string): void {
    this.#isOver = true;
    this.#resources.dispose();
    this.#socket.terminate(reason);
  }

  #open(): void {
    const { decoder, handle, clock, bounds } = this.#surroundings;
    if (this.#isOver) return;
    this.#connection = this.#listener.opened();
    const { instruments } = decoder;
    decoder.skipIds();
    for (const instrument of instruments) this.#unheard.add(instrument);
    this.#resources.use(repeat(clock, bounds.tickMs, () => this.#tick()));
    handle({
      type: 'connectionOpened',
      connection: this.#connection,
      instruments,
      receivedTime: clock.now(),
    });
  }

  #end(reason: string): void {
    const { decoder, handle, clock } = this.#surroundings;
    this.#resources.dispose();
    if (this.#isOver || this.#connection === undefined) return;
    this.#isOver = true;
    if (this.#lines.restBytes > 0) {
      const problem = 'Expected a line to end before the connection does';
      decoder.refuse('unreadable', problem, this.#lines.begun);
    }
    const lost = { connection: this.#connection, reason, receivedTime: clock.now() };
    handle({ type: 'connectionLost', ...lost });
  }

  #take(bytes: Buffer): void {
    const { decoder, clock, bounds } = this.#surroundings;
    this.#receivedTime = clock.now();
    if (this.#lines.take(bytes) || this.#isOver) return;
    const problem = `Expected a line of at most ${bounds.maximumLineBytes} bytes`;
    decoder.refuse('unreadable', problem, this.#lines.begun);
    this.#socket.terminate(problem);
  }

  #read(line: string): void {
    if (this.#isOver) return;
    const { decoder, handle, onFrame } = this.#surroundings;
    onFrame?.(line, this.#receivedTime);
    const trade = decoder.decode(line, this.#receivedTime);
    if (trade === undefined) {
      this.liveness.otherSigns++;
      return;
    }
    this.liveness.dataFrames++;
    handle(trade);
    if (this.#unheard.size > 0 && this.#unheard.delete(trade.instrument)) {
      // Whatever was missed since the trade before it, nobody can be asked for it.
      const { instrument, id } = trade;
      handle({ type: 'absentTrades', instrument, firstId: 0, lastId: id - 1 });
    }
  }

  #tick(): void {
    const { silenceTimeoutMs } = this.#surroundings.bounds;
    this.liveness.tick();
    if (this.liveness.silentMs >= silenceTimeoutMs) {
      this.#socket.terminate(`Nothing was received for ${silenceTimeoutMs / 1000} s`);
      return;
    }
    this.#listener.ticked();
  }
}
