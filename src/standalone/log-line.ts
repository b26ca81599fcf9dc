import { inspect, styleText } from 'node:util';

/** Fields of every entry that are shown in another way, or tell nothing new on one machine. */
const hidden = new Set(['level', 'time', 'program', 'msg', 'err', 'pid', 'hostname']);

const levels = [
  { from: 50, name: 'ERROR', colour: 'red' },
  { from: 40, name: 'WARN', colour: 'yellow' },
  { from: 30, name: '', colour: 'reset' },
  { from: 0, name: 'DEBUG', colour: 'dim' },
] as const;

const programColours = {
  server: 'cyan',
  persistor: 'magenta',
  simulator: 'blue',
  standalone: 'green',
} as const;

/** As wide as the longest name of a program. */
const nameWidth = 10;

type Entry = Readonly<Record<string, unknown>>;

/**
 * Makes a line for people from a line of a program's log: time (UTC), program, message, fields.
 * What is not a log entry (a crash's last words) is shown as it is.
 */
export function formatLogLine(
  program: string,
  line: string,
  stream: NodeJS.WritableStream,
): string {
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    styleText(format, text, { stream });
  const name = style(colourOf(program), program.padEnd(nameWidth));
  const entry = parseEntry(line);
  if (entry === undefined) return `${' '.repeat(12)} ${name} ${line}`;

  const level = levels.find(({ from }) => Number(entry['level']) >= from) ?? levels[2];
  const message = textOf(entry['msg']);
  const fields = Object.entries(entry)
    .filter(([key]) => !hidden.has(key))
    .map(([key, value]) => style('dim', `${key}=`) + showValue(value));
  const words = [
    style('dim', textOf(entry['time']).slice(11, 23)),
    name,
    ...(level.name === '' ? [] : [style(level.colour, level.name)]),
    message,
    ...fields,
  ];
  return [words.join(' ').trimEnd(), ...stackLines(entry['err'])].join('\n');
}

function colourOf(program: string) {
  return program in programColours
    ? programColours[program as keyof typeof programColours]
    : 'white';
}

function parseEntry(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'level' in entry
      ? { ...entry }
      : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function showValue(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? inspect(value);
  return /^[^\s"]+$/u.test(value) ? value : JSON.stringify(value);
}

function stackLines(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  return (textOf(stack) || textOf(message)).split('\n').map((line) => `${' '.repeat(13)}${line}`);
}
