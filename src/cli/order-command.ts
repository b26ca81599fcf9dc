import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { Environment } from '../base/env.ts';
import { askServer } from './ask-server.ts';
import { parseDurationArgument } from './duration-argument.ts';
import { cancelAll, cancelOrder } from './order/cancel-orders.ts';
import { describeHalts } from './order/halt-commands.ts';
import { listOrders, orderStates, showOrder } from './order/list-orders.ts';
import {
  addOrderFlags,
  addOrderId,
  formatOf,
  orderIdOf,
  parseAmount,
  parseClientOrderId,
} from './order/order-flags.ts';
import type { OrderFlags, OrderId } from './order/order-flags.ts';
import { submitOrder, timesInForce } from './order/submit-order.ts';
import type { SubmitFlags } from './order/submit-order.ts';
import { watchOrders } from './order/watch-orders.ts';

type IdFlags = OrderFlags & { readonly clientOrderId?: string };

/** Makes `command` what is done with orders: a subcommand each. */
export function describeOrders(command: Command, environment: Environment): Command {
  command
    .description('Place limit orders, follow them to their end, cancel and list them')
    .addHelpText('after', help);
  describeSubmit(command.command('sell'), environment, 'sell');
  describeSubmit(command.command('buy'), environment, 'buy');
  addOrderId(addOrderFlags(command.command('cancel')))
    .description('Cancel what is left of an order')
    .action(async (orderId: string | undefined, options: IdFlags, command: Command) => {
      const name = { account: options.account, order: oneOrder(orderId, options, command) };
      await askServer(environment, options, ({ orders }) =>
        cancelOrder(orders, name, formatOf(options)),
      );
    });
  addOrderFlags(command.command('cancel-all'))
    .description('Cancel all open orders of the account')
    .option('--instrument <name>', 'only those of one instrument', '')
    .action(async (options: OrderFlags & { instrument: string }) => {
      await askServer(environment, options, ({ orders }) =>
        cancelAll(orders, options, formatOf(options)),
      );
    });
  addOrderId(addOrderFlags(command.command('show')))
    .description('Show an order and how it was split')
    .action(async (orderId: string | undefined, options: IdFlags, command: Command) => {
      const name = { account: options.account, order: oneOrder(orderId, options, command) };
      await askServer(environment, options, ({ orders }) =>
        showOrder(orders, name, formatOf(options)),
      );
    });
  addOrderFlags(command.command('list'))
    .description('List the latest orders of the account')
    .option('--instrument <name>', 'only those of one instrument', '')
    .addOption(new Option('--status <status>', 'only those in one state').choices(orderStates))
    .option('-n, --limit <count>', 'how many, 1 to 10000', parseLimit, 20)
    .action(
      async (options: OrderFlags & { instrument: string; status?: string; limit: number }) => {
        await askServer(environment, options, ({ orders }) =>
          listOrders(orders, options, formatOf(options)),
        );
      },
    );
  addOrderId(addOrderFlags(command.command('watch')))
    .description('Follow an order to its end, or all orders of the account until Ctrl-C')
    .action(async (orderId: string | undefined, options: IdFlags, command: Command) => {
      const whose = { account: options.account, order: orderIdOf(orderId, options, command) };
      await askServer(environment, options, ({ orders }) =>
        watchOrders(orders, whose, formatOf(options), environment),
      );
    });
  describeHalts(command, environment);
  return command;
}

const help = `
An order is fulfilled against the live best bid and ask, in as many parts as it takes. It goes on
while nobody watches, and survives restarts of the server.

Examples:
  $ tradewind order sell BTCUSDT 0.5 60000 --wait
  $ tradewind order buy ETHUSDT 2 2500.5 --timeout 30s --wait
  $ tradewind order list --status open`;

function describeSubmit(command: Command, environment: Environment, side: 'buy' | 'sell'): void {
  const price = side === 'sell' ? 'the lowest price to accept' : 'the highest price to pay';
  addOrderFlags(command)
    .description(`Place a limit order that ${side}s`)
    .argument('<symbol>', 'LTCBTC, or with its exchange, binance:LTCBTC')
    .argument('<quantity>', 'how much of the base asset', parseAmount)
    .argument('<price>', `${price}, in the quote asset`, parseAmount)
    .addOption(
      new Option(
        '--tif <time>',
        'how long it may wait (default: gtd with --timeout, else gtc)',
      ).choices(timesInForce),
    )
    .option('--timeout <duration>', 'expire after this long: 30s, 5m, 2h', parseDurationArgument)
    .option(
      '--client-order-id <id>',
      'your own id: the same order sent again is not placed twice',
      parseClientOrderId,
    )
    .option('--wait', 'follow it to its end; exit code 1 when it is not filled whole')
    .action(
      async (
        symbol: string,
        quantity: string,
        limitPrice: string,
        options: OrderFlags & SubmitFlags,
        command: Command,
      ) => {
        checkExpiry(options, command);
        const wish = { side, instrument: symbol, quantity, limitPrice, ...options };
        await askServer(environment, options, ({ orders }) =>
          submitOrder(orders, wish, formatOf(options), environment),
        );
      },
    );
}

/** Ends the command where GTD and an expiry do not come together. */
function checkExpiry({ tif, timeout }: SubmitFlags, command: Command): void {
  if (tif === 'gtd' && timeout === undefined) {
    command.error('error: --tif gtd needs a --timeout, like --timeout 30s');
  }
  if (tif !== undefined && tif !== 'gtd' && timeout !== undefined) {
    command.error(`error: expected no --timeout with --tif ${tif}: only gtd orders expire`);
  }
}

/** The order that is named; ends the command where none is. */
function oneOrder(
  orderId: string | undefined,
  flags: { readonly clientOrderId?: string },
  command: Command,
): OrderId {
  return (
    orderIdOf(orderId, flags, command) ??
    command.error('error: expected an order’s id, or --client-order-id <id>')
  );
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d{1,5}$/u.test(text) || limit < 1 || limit > 10_000) {
    throw new InvalidArgumentError('Expected a number from 1 to 10000.');
  }
  return limit;
}
