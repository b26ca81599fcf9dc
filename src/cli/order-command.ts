import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { Environment } from '../base/env.ts';
import { addServerFlags, askServer } from './ask-server.ts';
import type { CliFlags } from './config.ts';
import { parseDurationArgument } from './duration-argument.ts';
import { changeHalts } from './order/change-halts.ts';
import { cancelAll, cancelOrder } from './order/cancel-orders.ts';
import { listOrders, orderStates, showOrder } from './order/list-orders.ts';
import type { OrderFormat } from './order/order-printer.ts';
import { submitOrder, timesInForce } from './order/submit-order.ts';
import type { SubmitFlags } from './order/submit-order.ts';
import { watchOrders } from './order/watch-orders.ts';

type Options = CliFlags & {
  readonly account: string;
  readonly json?: true;
};

/** Makes `command` what is done with orders: a subcommand each. */
export function describeOrders(command: Command, environment: Environment): Command {
  command
    .description('Place limit orders, follow them to their end, cancel and list them')
    .addHelpText('after', help);
  describeSubmit(command.command('sell'), environment, 'sell');
  describeSubmit(command.command('buy'), environment, 'buy');
  ordered(command.command('cancel'))
    .description('Cancel what is left of an order')
    .argument('<order>', 'its id')
    .action(async (orderId: string, options: Options) => {
      await askServer(environment, options, ({ orders }) =>
        cancelOrder(orders, { account: options.account, orderId }, formatOf(options)),
      );
    });
  ordered(command.command('cancel-all'))
    .description('Cancel all open orders of the account')
    .option('--instrument <name>', 'only those of one instrument', '')
    .action(async (options: Options & { instrument: string }) => {
      await askServer(environment, options, ({ orders }) =>
        cancelAll(orders, options, formatOf(options)),
      );
    });
  ordered(command.command('show'))
    .description('Show an order and how it was split')
    .argument('<order>', 'its id')
    .action(async (orderId: string, options: Options) => {
      await askServer(environment, options, ({ orders }) =>
        showOrder(orders, { account: options.account, orderId }, formatOf(options)),
      );
    });
  ordered(command.command('list'))
    .description('List the latest orders of the account')
    .option('--instrument <name>', 'only those of one instrument', '')
    .addOption(new Option('--status <status>', 'only those in one state').choices(orderStates))
    .option('-n, --limit <count>', 'how many, 1 to 10000', parseLimit, 20)
    .action(async (options: Options & { instrument: string; status?: string; limit: number }) => {
      await askServer(environment, options, ({ orders }) =>
        listOrders(orders, options, formatOf(options)),
      );
    });
  ordered(command.command('watch'))
    .description('Follow an order to its end, or all orders of the account until Ctrl-C')
    .argument('[order]', 'its id')
    .action(async (orderId: string | undefined, options: Options) => {
      await askServer(environment, options, ({ orders }) =>
        watchOrders(orders, { account: options.account, orderId }, formatOf(options), environment),
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
  ordered(command)
    .description(`Place a limit order that ${side}s`)
    .argument('<symbol>', 'LTCBTC, or with its exchange, binance:LTCBTC')
    .argument('<quantity>', 'how much of the base asset')
    .argument('<price>', `${price}, in the quote asset`)
    .addOption(
      new Option(
        '--tif <time>',
        'how long it may wait (default: gtd with --timeout, else gtc)',
      ).choices(timesInForce),
    )
    .option('--timeout <duration>', 'expire after this long: 30s, 5m, 2h', parseDurationArgument)
    .option('--client-order-id <id>', 'your own id: the same order sent again is not placed twice')
    .option('--wait', 'follow it to its end; exit code 1 when it is not filled whole')
    .action(
      async (
        symbol: string,
        quantity: string,
        limitPrice: string,
        options: Options & SubmitFlags,
      ) => {
        const wish = { side, instrument: symbol, quantity, limitPrice, ...options };
        await askServer(environment, options, ({ orders }) =>
          submitOrder(orders, wish, formatOf(options), environment),
        );
      },
    );
}

function describeHalts(command: Command, environment: Environment): void {
  ordered(command.command('halt'))
    .description('Stop the trading of the account; with --everything, of all')
    .option('--everything', 'stop all accounts')
    .option('--reason <text>', 'why, for those who are refused', '')
    .action(async (options: Options & { everything?: true; reason: string }) => {
      await askServer(environment, options, ({ orders }) => changeHalts(orders, 'halt', options));
    });
  ordered(command.command('resume'))
    .description('End the halt of the account; with --everything, that of all')
    .option('--everything', 'end the halt of everything')
    .action(async (options: Options & { everything?: true }) => {
      await askServer(environment, options, ({ orders }) =>
        changeHalts(orders, 'resume', { ...options, reason: '' }),
      );
    });
}

/** The flags that all of them have. */
function ordered(command: Command): Command {
  return addServerFlags(command)
    .option('--account <name>', 'whose orders', 'default')
    .option('--json', 'one JSON object a line');
}

function formatOf({ json }: Options): OrderFormat {
  return json === true ? 'json' : 'table';
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d{1,5}$/u.test(text) || limit < 1 || limit > 10_000) {
    throw new InvalidArgumentError('Expected a number from 1 to 10000.');
  }
  return limit;
}
