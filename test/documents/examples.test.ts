import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistry, fromJson } from '@bufbuild/protobuf';
import type { DescMessage, JsonValue } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { file_aggregator_aggregator } from '../../gen/aggregator/aggregator_pb.ts';
import { file_tradewind_market_v1_market_service } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { file_tradewind_order_v1_order_service } from '../../gen/tradewind/order/v1/order_service_pb.ts';
import { file_tradewind_position_v1_position_service } from '../../gen/tradewind/position/v1/position_service_pb.ts';
import { file_tradewind_system_v1_system_service } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import { openOrderServer } from '../interop/order-server.ts';
import type { SimulatedServer } from '../interop/simulated-server.ts';
import { installedTool, runTool } from '../support/run-tool.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { codeBlocks, documents, readDocument, root, section } from './document.ts';
import type { CodeBlock } from './document.ts';
import { hasCurl } from '../support/has-curl.ts';

const blocks = documents.flatMap((document) =>
  codeBlocks(document).map((block) => ({ ...block, path: document.path })),
);
const commands = commandsIn(blocks);

const registry = createRegistry(
  file_aggregator_aggregator,
  file_tradewind_market_v1_market_service,
  file_tradewind_order_v1_order_service,
  file_tradewind_position_v1_position_service,
  file_tradewind_system_v1_system_service,
);

let server: SimulatedServer;

beforeAll(async () => {
  server = await openOrderServer();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('of the commands in the documents', () => {
  const calls = commands.filter((command) =>
    /\b(?:tradewind|aggregator)\.[\w.]+\/\w+/u.test(command),
  );

  test('some call the server', () => {
    expect(calls.length).toBeGreaterThanOrEqual(4);
  });

  test.each(calls)('this one asks for what the contract has: %s', (command) => {
    const [, service = '', method = ''] =
      /\b((?:tradewind|aggregator)\.[\w.]+)\/(\w+)/u.exec(command) ?? [];
    const input = registry.getService(service)?.methods.find(({ name }) => name === method)?.input;
    expect(input).toBeDefined();
    const body = /(?:-d|--data) '(\{.*\})'|message=(\{.*\})'/u.exec(command);
    if (input === undefined || body === null) return;
    expect(() => parse(input, body[1] ?? body[2] ?? '')).not.toThrow();
  });

  const bufCommands = commands.filter((command) => command.startsWith('npx buf curl'));

  test.each(bufCommands)('this one gets an answer: %s', async (command) => {
    const [, , ...args] = wordsOf(command);
    const { stdout, stderr } = await runTool(installedTool('buf'), args.map(atServer), {
      isEnough: (text) => text.includes('\n}\n'),
    });
    expect(stderr).toBe('');
    expect(stdout).not.toBe('');
  });
});

describe('of the requests over plain HTTP', () => {
  const inReadme = [
    '### Plain HTTP',
    '### Orders over plain HTTP',
    '### Positions over plain HTTP',
  ].map((heading) => ({ path: '', text: section(readDocument('README.md'), heading) }));
  const curlCommands = [...inReadme, readDocument('docs/prices.md')].flatMap((document) =>
    commandsIn(codeBlocks(document)),
  );

  test('there is something to try', () => {
    expect(curlCommands.length).toBeGreaterThan(8);
  });

  test.skipIf(!hasCurl).each(curlCommands)('this one gets an answer: %s', async (command) => {
    const [, ...args] = wordsOf(command);
    const { stdout, stderr } = await runTool('curl', ['-sS', ...args.map(atServer)], {
      isEnough: (text) => /\n\n.*\n|^\{.*\n/u.test(text),
    });
    expect(stderr).toBe('');
    const [json = ''] = /\{.*$/mu.exec(stdout) ?? [];
    const answer = JSON.parse(json) as object;
    // One is there to show how a mistake is told.
    expect('code' in answer).toBe(command.includes('timeframe=7m'));
  });
});

describe.each(['### Orders in the terminal', '### Positions in the terminal'])(
  'of %s',
  (heading) => {
    const text = section(readDocument('README.md'), heading);
    const typed = [...text.matchAll(/^\$ npm run --silent tradewind -- (.*)$/gmu)].map(
      ([, command = '']) => command,
    );

    test('there is something to try', () => {
      expect(typed.length).toBeGreaterThanOrEqual(4);
    });

    test.each(typed)('this one does what it says: %s', async (command) => {
      const directory = temporaryDirectory();
      const file = codeBlocks({ path: '', text }).find(({ language }) => language === 'csv');
      writeFileSync(join(directory, 'executions.csv'), file?.text ?? '');
      const args = [join(root, 'src/cli.ts'), ...command.split(' '), '--server', server.url];
      const { exitCode, stdout, stderr } = await runTool(process.execPath, ['--', ...args], {
        cwd: directory,
        // Following has no end.
        isEnough: (printed) => command === 'order watch' && printed.includes('\n'),
      });
      expect([exitCode, stderr]).toEqual([command === 'order watch' ? null : 0, '']);
      // The words of its first line are as they are printed.
      const [, printed = ''] = text.split(`${command}\n`);
      expect(shapeOf(stdout)).toBe(shapeOf(printed));
    });
  },
);

describe('the TypeScript in the documents', () => {
  const programs = blocks.filter(({ language }) => language === 'ts');

  test.each(programs)('runs: $path', async ({ text }) => {
    const directory = temporaryDirectory();
    symlinkSync(join(root, 'gen'), join(directory, 'gen'));
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    writeFileSync(join(directory, 'example.ts'), atServer(text));
    const { stdout, stderr } = await runTool(
      process.execPath,
      ['--preserve-symlinks', join(directory, 'example.ts')],
      { isEnough: (printed) => printed.includes('\n') },
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\d+(?:\.\d+)? (?:true|false)\n/u);
  });
});

/** The first line without what differs each time: numbers, ids, times, and how wide columns are. */
function shapeOf(text: string): string {
  const [line = ''] = text.split('\n');
  return line.replaceAll(/[\w-]*\d[\w.:-]*/gu, '#').replaceAll(/ +/gu, ' ');
}

/** Every command, on one line. */
function commandsIn(blocks: readonly CodeBlock[]): readonly string[] {
  return blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split(/\n(?! )/u))
    .filter((command) => command !== '');
}

/** The examples ask the server that npm start runs; here another one answers. */
function atServer(text: string): string {
  return text.replaceAll('http://127.0.0.1:8080', server.url);
}

function parse(input: DescMessage, text: string): void {
  fromJson(input, JSON.parse(text) as JsonValue, { registry });
}

/** As a shell splits a command: at spaces, but not within '…'. */
function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|\S+/gu)].map(([word, inner]) => inner ?? word);
}
