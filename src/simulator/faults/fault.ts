import type { Connection } from '../connection.ts';
import type { Frame } from '../frame.ts';
import type { Stream } from '../stream.ts';
import type { Bound } from './bound.ts';
import type { IdRanges } from './id-ranges.ts';
import type { NewConnectionEnd } from './accept-then-close.ts';
import type { Refused } from './refuse.ts';
import type { Spoiling } from './spoil-rest.ts';

/**
 * Something that goes wrong for a while. A fault has only those of the optional methods that it is
 * about; each counts itself in the bound, and answers undefined (or false) where it does not act.
 */
export interface Fault {
  /** The control action that began it, by which it is cleared. */
  readonly action: string;
  /** The one symbol that it is about; undefined: all. */
  readonly symbol: string | undefined;
  readonly bound: Bound;
  /** What GET /control shows of it besides action, symbol and bound. */
  shown?(): Readonly<Record<string, unknown>>;
  /** True while there is something to do or to know after the bound was reached. */
  isStillNeeded?(): boolean;
  /** Called about every 10 ms. */
  tick?(): void;
  /** Called once, when it is out of force. */
  ended?(how: 'over' | 'cleared'): void;

  /** What is sent instead of a frame, in this order; undefined: the frame itself. */
  pass?(frame: Frame): readonly Frame[] | undefined;
  /** Frames that it held back and that go out now. */
  due?(): readonly Frame[];
  /** All frames that it still holds back; they go out when it ends. */
  held?(): readonly Frame[];
  /** Whether a frame is kept from this connection, while others get it. */
  hides?(frame: Frame, connection: Connection): boolean;

  /** How a subscription is treated, by SUBSCRIBE or in a URL. */
  subscription?(streams: readonly Stream[]): IgnoredSubscription | undefined;
  /** What a request at this door is refused with. */
  refuse?(door: 'websocket' | 'rest'): Refused | 'silence' | undefined;
  /** How a connection that was just accepted ends. */
  accept?(): NewConnectionEnd | undefined;
  /** What is done to the answer to a REST question. */
  spoil?(path: string, symbol: string | undefined): Spoiling | undefined;
  /** What exchangeInfo says of a symbol instead of TRADING. */
  statusOf?(symbol: string): string | undefined;
  /** Whether this exchange of JSON lines does not tell a price of the symbol. */
  stallsExchange?(exchange: string, symbol: string): boolean;
  /** Whether this exchange of JSON lines takes no new clients. */
  closesExchange?(exchange: string): boolean;
  /** The symbol's trades that REST has not got. */
  missingIds?(symbol: string): IdRanges | undefined;
}

export type IgnoredSubscription = {
  readonly answer: 'ok' | 'none' | 'error';
  /** Whether this one of the streams is left out. */
  readonly isIgnored: (stream: Stream) => boolean;
};
