import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Characters that are joined before they are written: large enough that a system call is no cost. */
const chunkLength = 65_536;

/** Writes lines, waiting whenever the reader is slower than we are. */
export async function writeLines(stream: Writable, lines: Iterable<string>): Promise<void> {
  let chunk = '';
  for (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length < chunkLength) continue;
    await write(stream, chunk);
    chunk = '';
  }
  if (chunk !== '') await write(stream, chunk);
}

async function write(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}
