/** A program cannot run, for a reason that people can mend: told in one line, without a stack. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the host cannot be looked up now',
};

/**
 * What to tell when a port cannot be listened on; other errors are given back as they are.
 * @param settings the settings that say where, the host first: { HOST: '127.0.0.1', PORT: 8080 }
 */
export function listenError(
  error: unknown,
  settings: Readonly<Record<string, string | number>>,
): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = reasons[code];
  if (reason === undefined) return error;
  const where = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  return new StartError(`Expected to listen on ${where.join(', ')}: ${reason}`, { cause: error });
}
