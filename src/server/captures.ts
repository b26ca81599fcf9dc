import { readCounter } from '../base/metrics.ts';
import type { Registry } from '../base/metrics.ts';
import type { Surroundings } from '../base/program.ts';
import type { ExchangeName } from '../domain/instrument.ts';
import { Capture } from '../exchange/capture.ts';
import type { FrameHandler } from '../exchange/capture.ts';
import type { ServerConfig } from './config.ts';

/** Where the feeds' frames go to, if that is configured: to files of each exchange. */
export class Captures implements AsyncDisposable {
  readonly #config: Pick<ServerConfig, 'captureDirectory' | 'captureMaxBytes'>;
  readonly #surroundings: Surroundings;
  readonly #captures = new Map<ExchangeName, Capture>();

  constructor(
    config: Pick<ServerConfig, 'captureDirectory' | 'captureMaxBytes'>,
    { metrics, ...surroundings }: Surroundings & { readonly metrics: Registry },
  ) {
    this.#config = config;
    this.#surroundings = surroundings;
    if (config.captureDirectory === undefined) return;
    const read = (counter: keyof Capture['counters']) => () =>
      [...this.#captures.values()].reduce((sum, { counters }) => sum + counters[counter], 0);
    readCounter(metrics, {
      name: 'tradewind_captured_frames_total',
      help: 'Frames written to captures',
      read: read('frames'),
    });
    readCounter(metrics, {
      name: 'tradewind_capture_dropped_frames_total',
      help: 'Frames left out of captures, for the disk was too slow or failed',
      read: read('droppedFrames'),
    });
  }

  /**
   * Opens that of an exchange, where there is none yet.
   * @throws Error when the directory cannot be written to
   */
  async open(exchangeName: ExchangeName): Promise<void> {
    const { captureDirectory: directory, captureMaxBytes: maximumBytes } = this.#config;
    if (directory === undefined || this.#captures.has(exchangeName)) return;
    const { clock, logger } = this.#surroundings;
    const options = { directory, maximumBytes, exchangeName, clock, logger };
    this.#captures.set(exchangeName, await Capture.open(options));
  }

  /** Takes an exchange's frames; undefined: nobody does. */
  of(exchangeName: ExchangeName): FrameHandler | undefined {
    return this.#captures.get(exchangeName)?.take;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#captures.values()].map((one) => one[Symbol.asyncDispose]()));
  }
}
