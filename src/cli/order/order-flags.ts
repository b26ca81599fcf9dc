import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { parseDecimal } from '../../base/decimal.ts';
import { defaultAccount, isAccount } from '../../domain/account.ts';
import { addServerFlags } from '../ask-server.ts';
import type { CliFlags } from '../config.ts';
import type { OrderFormat } from './order-printer.ts';

export type OrderFlags = CliFlags & {
  readonly account: string;
  readonly json?: true;
};

/** Names an order by one of its two ids. */
export type OrderId = {
  readonly case: 'orderId' | 'clientOrderId';
  readonly value: string;
};

/** The flags that commands about an account's orders have. */
export function addOrderFlags(command: Command): Command {
  return addServerFlags(command)
    .option('--account <name>', 'whose orders', parseAccount, defaultAccount)
    .option('--json', 'one JSON object a line');
}

export function formatOf({ json }: Pick<OrderFlags, 'json'>): OrderFormat {
  return json === true ? 'json' : 'table';
}

/** An order is named by its id as an argument or by its owner's as a flag. */
export function addOrderId(command: Command): Command {
  return command
    .argument('[order]', 'its id')
    .option('--client-order-id <id>', 'your own id of it, instead', parseClientOrderId);
}

/** The order that is named; undefined: none is. Ends the command where both ids are given. */
export function orderIdOf(
  orderId: string | undefined,
  { clientOrderId }: { readonly clientOrderId?: string },
  command: Command,
): OrderId | undefined {
  if (orderId !== undefined && clientOrderId !== undefined) {
    command.error('error: expected an order’s id or --client-order-id, not both');
  }
  if (orderId !== undefined) return { case: 'orderId', value: orderId };
  if (clientOrderId !== undefined) return { case: 'clientOrderId', value: clientOrderId };
  return undefined;
}

// What the server would refuse whatever it knows is refused here, as any other wrong argument.

export function parseAccount(text: string): string {
  if (isAccount(text)) return text;
  throw new InvalidArgumentError('Expected 1 to 64 letters, digits, ".", "_", ":" and "-".');
}

export function parseClientOrderId(text: string): string {
  if (/^[!-~]{1,64}$/u.test(text)) return text;
  throw new InvalidArgumentError('Expected 1 to 64 visible ASCII characters.');
}

/** A quantity or a price, as it is written: the server reads it exactly. */
export function parseAmount(text: string): string {
  try {
    if (parseDecimal(text) > 0n) return text;
  } catch {
    // Told below.
  }
  throw new InvalidArgumentError(
    'Expected a decimal above 0 with at most 15 digits before and 18 after the point, like 0.5.',
  );
}
