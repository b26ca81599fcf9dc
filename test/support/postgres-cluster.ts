import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { withConnection } from '../../src/store/one-connection.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers a POST with the URL of a new database. */
    testDatabases: string;
  }
}

/** A throw-away Postgres in a folder of its own. */
export async function openThrowAwayPostgres() {
  const directory = await openTemporaryDirectory();
  const cluster = await openEmbeddedPostgres({
    directory: directory.path,
    isThrowAway: true,
    clock: systemClock,
    logger: silentLogger,
  });
  return {
    url: cluster.url,
    port: cluster.port,
    pid: cluster.pid,
    [Symbol.asyncDispose]: async () => {
      await cluster[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** A folder that Postgres' account can enter, too; what is added goes with it. */
export async function openTemporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'tradewind-test-'));
  await chmod(path, 0o755);
  const paths = [path];
  return {
    path,
    add: (further: string) => paths.push(further),
    [Symbol.asyncDispose]: async () => {
      for (const path of paths) await rm(path, { recursive: true, force: true });
    },
  };
}

/**
 * vitest's global set-up: one Postgres for the whole run, started in the main process (which
 * outlives the workers that ask) and only when the first test file wants a database.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let cluster: ReturnType<typeof openMigratedCluster> | undefined;
  let databases = 0;
  const server = createServer((request, response) => {
    cluster ??= openMigratedCluster();
    const isEmpty = request.url === '/empty';
    createDatabase(cluster, `test_${++databases}`, isEmpty ? 'template0' : 'migrated').then(
      (url) => response.end(url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  project.provide('testDatabases', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.closeAllConnections();
    server.close();
    await (await cluster)?.[Symbol.asyncDispose]();
  };
}

async function openMigratedCluster() {
  const cluster = await openThrowAwayPostgres();
  const url = await createDatabase(Promise.resolve(cluster), 'migrated', 'template0');
  await migrate({ url, direction: 'up', logger: silentLogger });
  return cluster;
}

async function createDatabase(
  cluster: Promise<{ readonly url: string }>,
  name: string,
  template: string,
): Promise<string> {
  const { url } = await cluster;
  await withConnection(url, (sql) => sql.text(`create database ${name} template ${template}`));
  return url.replace(/[^/]+$/u, name);
}
