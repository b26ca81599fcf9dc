import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openSimulatedServer } from '../interop/simulated-server.ts';
import type { SimulatedServer } from '../interop/simulated-server.ts';
import { openBrowser } from './open-browser.ts';
import { serveFolder } from './serve-folder.ts';
import type { ServedFolder } from './serve-folder.ts';

const resources = new AsyncDisposableStack();
let pages: ServedFolder;
let server: SimulatedServer;
let browser: Browser;

beforeAll(async () => {
  pages = resources.use(await serveFolder(await buildPage()));
  const friend = `http://friend.example:${pages.port}`;
  server = resources.use(await openSimulatedServer({ CORS_ALLOWED_ORIGINS: friend }));
  browser = await openBrowser();
  resources.defer(() => browser.close());
});
afterAll(() => resources.disposeAsync());

test.each(['connect', 'grpc-web'])(
  'a page of an allowed origin streams candles and reads errors over %s',
  async (protocol) => {
    const page = await openPage('friend.example', protocol);
    await page.locator('#candles li').nth(1).waitFor();
    expect(await page.locator('#candles li').first().textContent()).toMatch(
      /^sim-binance:BTCUSDT closed at \d+(\.\d+)?$/u,
    );
    await page.locator('#refusal:not(:empty)').waitFor();
    expect(await page.locator('#refusal').textContent()).toMatch(/^NotFound: .*NOSUCH/u);
    expect(await page.locator('#failure').textContent()).toBe('');
  },
);

test.each(['connect', 'grpc-web'])(
  'a page of any other origin gets nothing over %s',
  async (protocol) => {
    const said: string[] = [];
    const page = await openPage('stranger.example', protocol, said);
    await page.locator('#failure:not(:empty)').waitFor();
    await page.locator('#refusal:not(:empty)').waitFor();
    expect(await page.locator('#candles li').count()).toBe(0);
    // Neither the candles nor the words of the error.
    expect(await page.locator('#refusal').textContent()).not.toContain('NOSUCH');
    expect(said.join('\n')).toContain('blocked by CORS policy');
  },
);

/** Bundles the page, as whoever writes one does. */
async function buildPage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tradewind-page-'));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  await build({
    root: fileURLToPath(new URL('page', import.meta.url)),
    configFile: false,
    logLevel: 'warn',
    build: { outDir: folder, emptyOutDir: true, target: 'esnext' },
  });
  return folder;
}

async function openPage(host: string, protocol: string, said: string[] = []): Promise<Page> {
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  page.on('console', (message) => said.push(message.text()));
  const query = new URLSearchParams({ server: server.url, protocol });
  await page.goto(`http://${host}:${pages.port}/?${query.toString()}`);
  return page;
}
