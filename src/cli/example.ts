import type { AddHelpTextContext } from 'commander';

/** What stands below a command's help: an example, by the name that the program was called by. */
export function example(line: string): (context: AddHelpTextContext) => string {
  return ({ command }) => `\nExample:\n  $ ${command.parent?.name() ?? 'tradewind'} ${line}`;
}
