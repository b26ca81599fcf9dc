import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readServerConfig } from '../../src/server/config.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { testCertificate } from '../support/test-certificate.ts';

test.each([
  ['PORT', '70000', 'PORT: expected an integer from 0 to 65535, got "70000"'],
  ['MODE', 'PAPER', 'MODE: expected one of TEST, LIVE, got "PAPER"'],
  ['BINANCE_SYMBOLS', 'a:b', 'BINANCE_SYMBOLS: expected letters and digits, like BTCUSDT'],
  ['BINANCE_SYMBOLS', 'BTC/USDT', 'got "BTC/USDT"'],
  ['BINANCE_SYMBOLS', '币'.repeat(22), 'at most 64 bytes each'],
  [
    'CORS_ALLOWED_ORIGINS',
    'foo',
    'CORS_ALLOWED_ORIGINS: expected origins like https://example.com',
  ],
  ['CORS_ALLOWED_ORIGINS', 'https://example.com/page', 'got "https://example.com/page"'],
])('%s=%s is refused, saying what was expected and what it was', (key, value, message) => {
  expect(() => readServerConfig({ [key]: value })).toThrow(message);
});

test.each([
  ['BINANCE_SYMBOLS', 'btcusdt 币安人生USDT 1000SATSUSDT'],
  ['CORS_ALLOWED_ORIGINS', 'https://example.com http://localhost:3000/ *'],
])('%s=%s is taken', (key, value) => {
  expect(() => readServerConfig({ [key]: value })).not.toThrow();
});

test('a port that is a flag outranks the environment, under each of its names', () => {
  const environment = { PORT: '1', APP_PORT: '2' };
  expect(readServerConfig(environment).port).toBe(1);
  expect(readServerConfig(environment, { port: '0' }).port).toBe(0);
  expect(readServerConfig({ APP_PORT: '2' }, { port: '3' }).port).toBe(3);
  expect(() => readServerConfig({}, { port: 'x' })).toThrow(/^.*PORT: expected .* got "x"/su);
});

test('a value with a password in it is not shown', () => {
  expect(() => readServerConfig({ DATABASE_URL: 'mysql://user:secret@host/x' })).toThrow(
    /DATABASE_URL: expected a URL beginning with postgres:\/\/ or postgresql:\/\/$/u,
  );
});

test('of a long value the beginning is shown', () => {
  expect(() => readServerConfig({ MODE: 'x'.repeat(5_000) })).toThrow(/got "x{100}…"$/u);
});

describe('TLS', () => {
  const { certFile, keyFile } = testCertificate;

  test('a certificate and its key are taken', () => {
    expect(readServerConfig({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile }).tls).toEqual({
      certFile,
      keyFile,
    });
  });

  test('files that are not there are named, with what was expected', () => {
    const nowhere = join(temporaryDirectory(), 'none.pem');
    const read = () => readServerConfig({ TLS_CERT_FILE: nowhere, TLS_KEY_FILE: nowhere });
    expect(read).toThrow(/TLS_CERT_FILE: expected a PEM file, got ".*none.pem": ENOENT: no such/u);
    expect(read).toThrow(/TLS_KEY_FILE: expected a PEM file/u);
  });

  test('what is no certificate is refused', () => {
    const file = join(temporaryDirectory(), 'bad.pem');
    writeFileSync(file, 'nothing');
    expect(() => readServerConfig({ TLS_CERT_FILE: file, TLS_KEY_FILE: keyFile })).toThrow(
      'TLS_CERT_FILE, TLS_KEY_FILE: expected a PEM certificate and its key',
    );
  });
});
