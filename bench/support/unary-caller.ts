// A process that calls unary RPCs over gRPC, so many at once, and counts: `node unary-caller.ts PORT`.
// It writes ready bytes and looks at nothing but the end of each answer, so that the server is what
// is measured.
import { connect } from 'node:http2';

/** Calls `path` with messages of these bytes, in turn, for so long, with so many calls under way. */
export type Calls = {
  readonly path: string;
  readonly messages: readonly (readonly number[])[];
  readonly inFlight: number;
  readonly durationMs: number;
};

/** How many were answered OK, and how many otherwise, until the last one was. */
export type Called = { readonly ok: number; readonly failed: number; readonly elapsedMs: number };

const session = connect(`http://127.0.0.1:${process.argv[2]}`);
process.on('message', (calls: Calls) => {
  const frames = calls.messages.map((message) => {
    const frame = Buffer.concat([Buffer.alloc(5), Buffer.from(message)]);
    frame.writeUInt32BE(message.length, 1);
    return frame;
  });
  const headers = {
    ':method': 'POST',
    ':path': calls.path,
    'content-type': 'application/grpc+proto',
    te: 'trailers',
  };
  const startMs = performance.now();
  const endMs = startMs + calls.durationMs;
  const counts = { ok: 0, failed: 0 };
  let running = 0;
  let called = 0;
  const call = () => {
    running++;
    const stream = session.request(headers);
    let status: unknown;
    stream.on('trailers', (trailers) => (status = trailers['grpc-status']));
    stream.on('close', () => {
      running--;
      if (status === '0') counts.ok++;
      else counts.failed++;
      if (performance.now() < endMs) call();
      else if (running === 0) {
        const elapsedMs = performance.now() - startMs;
        process.send?.({ ...counts, elapsedMs } satisfies Called);
      }
    });
    stream.resume();
    stream.end(frames[called++ % frames.length]);
  };
  for (let index = 0; index < calls.inFlight; index++) call();
});
process.on('disconnect', () => process.exit());
