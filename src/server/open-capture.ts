import { readCounter } from '../base/metrics.ts';
import type { Registry } from '../base/metrics.ts';
import type { Surroundings } from '../base/program.ts';
import type { ExchangeName } from '../domain/instrument.ts';
import { Capture } from '../exchange/capture.ts';
import type { ServerConfig } from './config.ts';

/** Where a feed's frames go to, if that is configured; `stack` closes it. */
export async function openCapture(
  { captureDirectory: directory, captureMaxBytes: maximumBytes }: ServerConfig,
  exchangeName: ExchangeName,
  surroundings: Surroundings & { readonly metrics: Registry },
  stack: AsyncDisposableStack,
): Promise<Capture | undefined> {
  if (directory === undefined) return undefined;
  const { metrics, clock, logger } = surroundings;
  const options = { directory, maximumBytes, exchangeName, clock, logger };
  const capture = stack.use(await Capture.open(options));
  readCounter(metrics, {
    name: 'tradewind_captured_frames_total',
    help: 'Frames written to captures',
    read: () => capture.counters.frames,
  });
  readCounter(metrics, {
    name: 'tradewind_capture_dropped_frames_total',
    help: 'Frames left out of captures, for the disk was too slow or failed',
    read: () => capture.counters.droppedFrames,
  });
  return capture;
}
