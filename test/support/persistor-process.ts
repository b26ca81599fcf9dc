import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { Persistor } from '../../src/persistor/persistor.ts';
import { openDatabase } from '../../src/store/database.ts';
import { eventually } from './eventually.ts';
import { streamedCandle, TwinCandleStream } from './twin-candle-stream.ts';

// A process that stores a twin's stream and tells its parent how far it is, to be killed at any time.

const [, , url = '', total = ''] = process.argv;
const stream = new TwinCandleStream();
for (let n = 1; n <= Number(total); n++) stream.publish({ candles: [streamedCandle(n)] });
const persistor = new Persistor({
  name: 'test',
  follow: stream.follow,
  database: openDatabase({ url, program: 'test', clock: systemClock, logger: silentLogger }),
  bounds: { batchRows: 10, batchLatencyMs: 1, bufferRows: 50 },
  retention: {},
  clock: systemClock,
  logger: silentLogger,
});
let told = 0;
await eventually(() => {
  const { written } = persistor.counts;
  if (written > told) process.send?.(written);
  told = written;
  const [resumedAfter = 0] = stream.resumedAfter;
  return (
    Number(resumedAfter) + stream.batchesRead === Number(total) && persistor.uncommittedRows === 0
  );
});
await persistor[Symbol.asyncDispose]();
process.exit(0);
