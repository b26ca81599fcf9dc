import { Code, ConnectError } from '@connectrpc/connect';
import type { Position } from '../../../gen/tradewind/position/v1/position_pb.ts';
import { systemClock } from '../../base/clock.ts';
import type { Timeframe } from '../../domain/timeframe.ts';
import type { PositionClient } from '../../rpc/client.ts';
import { timeframeToMessage } from '../../rpc/messages.ts';
import {
  binToJson,
  executionToJson,
  positionToJson,
} from '../../rpc/position/position-messages.ts';
import type { Moment } from '../executions/execution-source.ts';
import { Failure } from '../failure.ts';
import { requestTimeoutMs } from '../list-candles.ts';
import { ProgressBar } from '../progress-bar.ts';
import { timeOf } from '../rfc3339.ts';
import { tableLines } from '../table.ts';
import { writeLines } from '../write-lines.ts';
import { executionTable, historyTable, positionTable } from './position-printer.ts';

type Wish = { readonly account: string; readonly json?: true };
type InstrumentWish = Wish & { readonly instrument: string };
type SpanWish = InstrumentWish & {
  readonly from?: Moment;
  readonly to?: Moment;
  readonly limit: number;
};

/** The largest page the server gives. */
const largestPage = 1_000;
const timeout = { timeoutMs: requestTimeoutMs };

/** @throws ConnectError; Failure where there is no execution */
export async function queryPosition(
  client: PositionClient,
  { account, instrument, at, json }: InstrumentWish & { readonly at: Moment | undefined },
): Promise<void> {
  const request = { account, instrument, ...(at === undefined ? {} : { at }) };
  const { position } = await client.queryPosition(request, timeout).catch(noExecutions);
  await printPosition(position, json);
}

/** Rebuilds, shows how far it is, and then the position. @throws ConnectError, Failure */
export async function rebuildPosition(
  client: PositionClient,
  { account, instrument, after, json }: InstrumentWish & { readonly after: Moment | undefined },
): Promise<void> {
  const bar = new ProgressBar(process.stderr, systemClock);
  const request = { account, instrument, ...(after === undefined ? {} : { after }) };
  let position: Position | undefined;
  try {
    for await (const progress of client.rebuildPositions(request)) {
      bar.show(Number(progress.foldedCount) / Math.max(1, Number(progress.totalCount)));
      position = progress.position;
    }
  } catch (error) {
    noExecutions(error);
  } finally {
    bar.clear();
  }
  await printPosition(position, json);
}

/** @throws ConnectError */
export async function listPositions(
  client: PositionClient,
  { account, json }: Wish,
): Promise<void> {
  const positions: Position[] = [];
  for (let pageToken = '', isLast = false; !isLast; isLast = pageToken === '') {
    const page = await client.listPositions({ account, pageToken, pageSize: largestPage }, timeout);
    positions.push(...page.positions);
    pageToken = page.nextPageToken;
  }
  if (json === true) return await writeLines(process.stdout, positions.map(positionToJson));
  if (positions.length === 0) return await writeLines(process.stdout, ['There is no position']);
  await writeLines(process.stdout, positionTable(positions));
}

/** @throws ConnectError; Failure where there is no execution */
export async function listExecutions(client: PositionClient, wish: SpanWish): Promise<void> {
  const { items: executions } = await readPages(wish.limit, async (pageSize, pageToken) => {
    const request = { ...spanOf(wish), pageSize, pageToken, newestFirst: true };
    const { executions: items, nextPageToken } = await client.listExecutions(request, timeout);
    return { items, nextPageToken };
  });
  if (executions.length === 0) {
    throw new Failure(
      `There are no executions of ${wish.instrument} in the account ${wish.account}, or not then`,
    );
  }
  executions.reverse();
  await writeLines(
    process.stdout,
    wish.json === true ? executions.map(executionToJson) : executionTable(executions),
  );
}

/** @throws ConnectError; Failure where there is no execution */
export async function listHistory(
  client: PositionClient,
  wish: SpanWish & { readonly bin: Timeframe },
): Promise<void> {
  const { items: bins, isCut } = await readPages(wish.limit, async (pageSize, pageToken) => {
    const request = { ...spanOf(wish), bin: timeframeToMessage(wish.bin), pageSize, pageToken };
    const page = await client.listPositionHistory(request, timeout).catch(noExecutions);
    return { items: page.bins, nextPageToken: page.nextPageToken };
  });
  await writeLines(process.stdout, wish.json === true ? bins.map(binToJson) : historyTable(bins));
  if (isCut) console.error(`These are the first ${bins.length} bins: --from or --limit shows more`);
}

type FreezeWish = {
  /** Empty: all. */
  readonly account: string;
  readonly instrument: string;
  readonly until: Moment;
};

/** @throws ConnectError */
export async function freezePositions(
  client: PositionClient,
  { account, instrument, until }: FreezeWish,
): Promise<void> {
  const { freeze } = await client.freezePositions({ account, instrument, until }, timeout);
  const whose = account === '' ? 'all accounts' : `the account ${account}`;
  await writeLines(process.stdout, [
    `Frozen up to ${timeOf(freeze?.until)} for ${whose} as ${freeze?.freezeId}`,
  ]);
}

/** @throws ConnectError */
export async function listFreezes(
  client: PositionClient,
  { account, instrument }: { readonly account: string; readonly instrument: string },
): Promise<void> {
  const { freezes } = await client.listFreezes({ account, instrument }, timeout);
  if (freezes.length === 0) return await writeLines(process.stdout, ['Nothing is frozen']);
  const columns = ['FREEZE', 'UNTIL', 'ACCOUNT', 'INSTRUMENT', 'MADE'] as const;
  const rows = freezes.map((freeze) => [
    freeze.freezeId,
    timeOf(freeze.until),
    freeze.account || 'all',
    freeze.instrument || 'all',
    timeOf(freeze.createdTime),
  ]);
  await writeLines(
    process.stdout,
    tableLines(
      columns.map((title) => ({ title, align: 'left' })),
      rows,
    ),
  );
}

function spanOf({ account, instrument, from, to }: SpanWish) {
  return {
    account,
    instrument,
    ...(from === undefined ? {} : { startTime: from }),
    ...(to === undefined ? {} : { endTime: to }),
  };
}

async function readPages<Item>(
  limit: number,
  read: (
    pageSize: number,
    pageToken: string,
  ) => Promise<{ readonly items: readonly Item[]; readonly nextPageToken: string }>,
): Promise<{ readonly items: Item[]; readonly isCut: boolean }> {
  const items: Item[] = [];
  let pageToken = '';
  do {
    const page = await read(Math.min(limit - items.length, largestPage), pageToken);
    items.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && items.length < limit);
  return { items, isCut: pageToken !== '' };
}

async function printPosition(
  position: Position | undefined,
  json: true | undefined,
): Promise<void> {
  if (position === undefined) throw new Error('Expected an answer with the position');
  await writeLines(
    process.stdout,
    json === true ? [positionToJson(position)] : positionTable([position]),
  );
}

/** Nothing is there: told in a line, without that a server refused. */
function noExecutions(error: unknown): never {
  const { code, rawMessage } = ConnectError.from(error);
  throw code === Code.NotFound ? new Failure(rawMessage, { cause: error }) : error;
}
