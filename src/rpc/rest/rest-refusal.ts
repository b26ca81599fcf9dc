import { Code } from '@connectrpc/connect';

/** What is wrong with one field: of the request, as the contract names it ("selections[0].timeframe"). */
export type FieldViolation = { readonly field: string; readonly description: string };

/** A request over plain HTTP that does not get as far as an RPC. */
export class RestRefusal extends Error {
  readonly code: Code;
  /** Where it is another than that of the code. */
  readonly httpStatus: number | undefined;
  readonly violations: readonly FieldViolation[];

  constructor(
    code: Code,
    message: string,
    {
      httpStatus,
      violations = [],
    }: { readonly httpStatus?: number; readonly violations?: readonly FieldViolation[] } = {},
  ) {
    super(message);
    this.name = 'RestRefusal';
    this.code = code;
    this.httpStatus = httpStatus;
    this.violations = violations;
  }
}

/** A request of which one field is wrong. */
export function refusedField(field: string, description: string): RestRefusal {
  return new RestRefusal(Code.InvalidArgument, `${field}: ${description}`, {
    violations: [{ field, description }],
  });
}

/** Fields that are told to be wrong at most: enough to mend a request, too few to be an answer's weight. */
const maxViolations = 20;

/** Collects what is wrong with a request, so that all of it is told at once. */
export class Violations {
  readonly #violations: FieldViolation[] = [];

  add(field: string, description: string): void {
    if (this.#violations.length < maxViolations) this.#violations.push({ field, description });
  }

  /** @throws RestRefusal INVALID_ARGUMENT when there is any */
  throwIfAny(): void {
    if (this.#violations.length === 0) return;
    const message = this.#violations
      .map(({ field, description }) => `${field}: ${description}`)
      .join('; ');
    throw new RestRefusal(Code.InvalidArgument, message, { violations: this.#violations });
  }
}

/** A client's text as an error quotes it: in quotes, cut short. */
export function quote(text: string): string {
  return JSON.stringify(text.length > maxQuoted ? `${text.slice(0, maxQuoted)}…` : text);
}

const maxQuoted = 60;
