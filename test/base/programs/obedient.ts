import { systemClock } from '../../../src/base/clock.ts';
import { onStopRequested } from '../../../src/base/stop-signals.ts';

// A program that ends when it is told to, and when its parent is gone.
onStopRequested(systemClock, process.env, {
  onStop: (reason) => {
    console.log(`stopping: ${reason}`);
    process.exit(0);
  },
  onInsist: () => process.exit(1),
});
setInterval(() => {}, 1000);
console.log(`started ${process.pid} with ${process.env['GIVEN'] ?? 'nothing'}`);
