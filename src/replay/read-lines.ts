import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Failure } from '../cli/failure.ts';

/**
 * No frame of an exchange is this long (a full depth snapshot is 0.5 MB). What is longer is not a
 * line of a capture: only its beginning is handed on, so that a file without line ends, or a
 * compression bomb, needs no more memory than that.
 */
const longestLine = 8 * 1024 * 1024;
const beginningLength = 1024;

const gzipMagic = [0x1f, 0x8b] as const;

/**
 * Reads a file's lines, gzip or plain, in batches; empty lines are left out. `onRead` is told how
 * many of the file's bytes have been read so far.
 * @throws Failure for a file that cannot be read, or not to its end
 */
export async function* readLines(
  path: string,
  onRead: (bytes: number) => void,
): AsyncGenerator<readonly string[]> {
  try {
    const isCompressed = await isGzip(path);
    const file = createReadStream(path);
    try {
      for await (const lines of splitLines(isCompressed ? unzip(file) : file)) {
        onRead(file.bytesRead);
        yield lines;
      }
    } finally {
      file.destroy();
    }
  } catch (error) {
    throw readFailure(path, error);
  }
}

function unzip(file: Readable): Readable {
  const gunzip = createGunzip();
  file.on('error', (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}

async function isGzip(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer[0] === gzipMagic[0] && buffer[1] === gzipMagic[1];
}

async function* splitLines(source: Readable): AsyncGenerator<readonly string[]> {
  let rest = '';
  let isTooLong = false;
  source.setEncoding('utf8');
  for await (const chunk of source as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (isTooLong && lines.length > 0) {
      // The end of the line whose beginning was handed on before.
      lines.shift();
      isTooLong = false;
    }
    if (rest.length > longestLine || isTooLong) {
      if (!isTooLong) lines.push(rest.slice(0, beginningLength));
      isTooLong = true;
      rest = '';
    }
    yield lines.map((line) => line.trim()).filter((line) => line !== '');
  }
  if (!isTooLong && rest.trim() !== '') yield [rest.trim()];
}

function readFailure(path: string, cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const told = readProblems[code];
  if (told !== undefined) return new Failure(`${path}: ${told}`, { cause });
  if (code.startsWith('Z_')) {
    return new Failure(`${path}: the gzip data is damaged (${(cause as Error).message})`, {
      cause,
    });
  }
  return code === '' ? cause : new Failure(`${path}: ${(cause as Error).message}`, { cause });
}

const readProblems: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read',
  EISDIR: 'this is a directory; name the files in it',
  Z_BUF_ERROR: 'the gzip data ends too early, the file is truncated',
};
