import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Micros } from '../base/clock.ts';
import type { ExchangeName } from '../domain/instrument.ts';

const compress = promisify(gzip);

/** The name of a capture that begins at `time`, UTC: names sort as their times do. */
export function captureName(exchange: ExchangeName, time: Micros): string {
  const iso = new Date(Math.floor(time / 1000)).toISOString();
  return `${exchange}-${iso.replaceAll(/[-:]/gu, '')}.gz`;
}

export function isCaptureName(exchange: ExchangeName, name: string): boolean {
  return (
    name.startsWith(`${exchange}-`) &&
    /^\d{8}T\d{6}\.\d{3}Z\.gz$/u.test(name.slice(exchange.length + 1))
  );
}

/**
 * One gzip file of captured lines. Each batch is a gzip member of its own, written at once: a process
 * that is killed leaves a file that is whole up to its last batch.
 */
export class CaptureFile {
  readonly name: string;
  readonly #handle: FileHandle;
  #size = 0;

  private constructor(name: string, handle: FileHandle) {
    this.name = name;
    this.#handle = handle;
  }

  /** Creates the file; where there is one of that name already, one a millisecond later. */
  static async create(
    directory: string,
    exchange: ExchangeName,
    time: Micros,
  ): Promise<CaptureFile> {
    for (let attempt = 0; ; attempt++) {
      const name = captureName(exchange, time + attempt * 1000);
      try {
        return new CaptureFile(name, await open(join(directory, name), 'wx'));
      } catch (error) {
        const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
        if (!isTaken || attempt >= 1000) throw error;
      }
    }
  }

  /** In bytes, as written. */
  get size(): number {
    return this.#size;
  }

  /** @throws Error where it cannot be written whole; then it is as it was before */
  async append(text: string): Promise<void> {
    const member = await compress(text);
    try {
      for (let written = 0; written < member.length;) {
        const position = this.#size + written;
        const rest = member.length - written;
        written += (await this.#handle.write(member, written, rest, position)).bytesWritten;
      }
    } catch (error) {
      await this.#handle.truncate(this.#size);
      throw error;
    }
    this.#size += member.length;
  }

  /** After this it is on the disk. */
  async close(): Promise<void> {
    try {
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
  }
}
