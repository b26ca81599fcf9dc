import type { ServiceImpl } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { Mode, SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import { runToEnd } from '../support/run-program.ts';
import { startServiceStub } from './service-stub.ts';

async function cli(
  implementation: Partial<ServiceImpl<typeof SystemService>>,
  ...args: readonly string[]
) {
  await using stub = await startServiceStub(SystemService, implementation);
  return await runToEnd('cli', [...args, '--server', stub.address]);
}

/** A server of which only the mode is known, in LIVE mode to begin with. */
function modeStub() {
  let mode: Mode = Mode.LIVE;
  const name = () => (mode === Mode.LIVE ? 'binance' : 'sim-binance');
  return {
    getMode: () => ({ mode, exchanges: [name()], kept: true }),
    setMode: (request: { readonly mode: Mode }) => {
      const changed = mode !== request.mode;
      ({ mode } = request);
      return { mode, changed, message: changed ? 'Switched' : 'It is on already' };
    },
  };
}

describe('mode', () => {
  test('tells the mode, what is followed in it, and whether it is kept', async () => {
    const result = await cli(modeStub(), 'mode');
    const stdout = 'LIVE: binance\nIt is kept for the next start\n';
    expect(result).toEqual({ exitCode: 0, stdout, stderr: '' });
  });

  test('goes over to another one', async () => {
    const { exitCode, stdout } = await cli(modeStub(), 'mode', 'test');
    expect([exitCode, stdout.split('\n').slice(0, 2)]).toEqual([
      0,
      ['Switched', 'TEST: sim-binance'],
    ]);
  });

  test('that is on already is no failure', async () => {
    const { exitCode, stdout } = await cli(modeStub(), 'mode', 'live');
    expect([exitCode, stdout.split('\n')[0]]).toEqual([0, 'It is on already']);
  });

  test('is one JSON object for programs', async () => {
    const { stdout } = await cli(modeStub(), 'mode', 'test', '--json');
    expect(JSON.parse(stdout)).toEqual({ mode: 'TEST', exchanges: ['sim-binance'], kept: true });
  });

  test('that cannot be gone over to is exit code 1, with the reason', async () => {
    const setMode = () => {
      throw new ConnectError('TEST cannot be gone over to, LIVE stays on', Code.Unavailable);
    };
    const { exitCode, stderr } = await cli({ ...modeStub(), setMode }, 'mode', 'test');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('LIVE stays on')]);
  });

  test('of an unknown name is exit code 2', async () => {
    const { exitCode, stderr } = await cli(modeStub(), 'mode', 'paper');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('live, test')]);
  });
});

describe('health', () => {
  const healthStub = (status: string) => ({
    getHealth: () => ({
      status,
      mode: Mode.TEST,
      feeds: [
        { exchange: 'sim-binance', status: 'ok', since: { seconds: 1_767_268_800n } },
        { exchange: 'coinbase', status: 'off', reason: 'The simulator does not speak for it' },
      ],
      postgres: { status: 'ok' },
      redis: { status: 'degraded', reason: 'connect ECONNREFUSED' },
    }),
  });

  test('is a table of all there is', async () => {
    const { exitCode, stdout } = await cli(healthStub('degraded'), 'health');
    expect([exitCode, stdout.split('\n')]).toEqual([
      0,
      [
        'PART         STATUS    SINCE                 WHY',
        'server       degraded  -                     TEST mode',
        'sim-binance  ok        2026-01-01T12:00:00Z',
        'coinbase     off       -                     The simulator does not speak for it',
        'postgres     ok        -',
        'redis        degraded  -                     connect ECONNREFUSED',
        '',
      ],
    ]);
  });

  test('that is down is told whole, with exit code 1', async () => {
    const { exitCode, stdout, stderr } = await cli(healthStub('down'), 'health', '--json');
    expect([exitCode, stderr]).toEqual([1, 'error: the server is down\n']);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'down',
      mode: 'TEST',
      parts: [
        { name: 'sim-binance', status: 'ok', since: '2026-01-01T12:00:00Z' },
        { name: 'coinbase', status: 'off' },
        { name: 'postgres', status: 'ok' },
        { name: 'redis', status: 'degraded', reason: 'connect ECONNREFUSED' },
      ],
    });
  });
});
