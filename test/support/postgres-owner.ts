import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';

// A process that opens an embedded Postgres and tells its parent, to be killed or told to close it.

const [, , directory = ''] = process.argv;
const { url, pid, ...postgres } = await openEmbeddedPostgres({
  directory,
  isThrowAway: true,
  clock: systemClock,
  logger: silentLogger,
});
process.send?.({ url, pid });
process.once('message', () => {
  void postgres[Symbol.asyncDispose]().then(() => process.exit(0));
});
