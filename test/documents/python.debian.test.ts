import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSimulatedServer } from '../interop/simulated-server.ts';
import type { SimulatedServer } from '../interop/simulated-server.ts';
import { runTool } from '../support/run-tool.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { codeBlocks, documents, root } from './document.ts';

const programs = documents
  .flatMap(codeBlocks)
  .filter(({ language }) => language === 'python')
  .map(({ text }) => text);

let server: SimulatedServer;

beforeAll(async () => {
  server = await openSimulatedServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test('there is Python in the documents', () => {
  expect(programs.length).toBeGreaterThan(0);
});

test.each(programs)('the Python in the documents runs: %s', async (program) => {
  const directory = temporaryDirectory();
  const generated = await runTool(
    'bash',
    [
      '-c',
      // The README's command, with Debian's programs in place of pip's.
      `protoc -I proto -I third_party --python_out=${directory} --grpc_python_out=${directory} \
        --plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin \
        proto/tradewind/market/v1/*.proto third_party/buf/validate/*.proto third_party/google/api/*.proto`,
    ],
    { cwd: root, env: { PATH: '/usr/bin:/bin' } },
  );
  expect(generated).toMatchObject({ exitCode: 0, stderr: '' });
  writeFileSync(join(directory, 'candles.py'), program.replace('127.0.0.1:8080', server.address));
  const { stdout } = await runTool('/usr/bin/python3', ['candles.py'], {
    cwd: directory,
    env: { PATH: '/usr/bin:/bin', PYTHONDONTWRITEBYTECODE: '1' },
    isEnough: (printed) => printed.includes('\n'),
  });
  expect(stdout).toMatch(/^\S+Z \d+(?:\.\d+)? \d+(?:\.\d+)?\n/u);
});
