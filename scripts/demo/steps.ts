import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Step = {
  /** What it is about, in a sentence or two. */
  readonly say: string;
  /** The program's name as one would type it, and its arguments; left out: there is only something to say. */
  readonly command?: readonly string[];
  /** 0 where it is left out. */
  readonly expectedExitCode?: number;
  /** Done before it. */
  readonly prepare?: () => void;
};

/** The demo, one command after the other; `directory` is for the files that it imports. */
export function steps(directory: string): readonly Step[] {
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
  return [
    {
      say: 'Record 20,000 random trades in the instruments 123 and 233, from 2000 to now. They come in no order of time.',
      command: ['tradetracker', 'trade', '20000', '123', '233'],
    },
    {
      say: 'What do we hold of 123? A position is the fold of all executions, by average cost, to the last digit.',
      command: ['tradetracker', 'query', '123'],
    },
    {
      say: 'What did we hold at the end of 2009? Any moment is answered as quickly.',
      command: ['tradetracker', 'query', '123', '2009-12-31T23:59:59Z'],
    },
    {
      say: 'Positions may be computed anew from all executions, or from those after a time. It is never needed: the answer stays the same.',
      command: ['tradetracker', 'position', '123', '2020-01-01T00:00:00Z'],
    },
    {
      say: 'How did it go, in bins of a month? Other widths are 1s, 1m, 5m … 1h, 1d, 1w.',
      command: ['tradewind', 'history', '123', '--bin', '1M', '--from', '2025-01-01T00:00:00Z'],
    },
    {
      say: 'Executions come from files, too: CSV with a header, or a JSON object a line. One of these rows is not right.',
      prepare: () => {
        const rows = [
          'source_id,instrument,quantity,price,executed_at',
          'b1,gold,100,23,2022-04-25T14:16:18Z',
          'b2,gold,7,24.5,2022-04-25T14:16:20Z',
          'b3,gold,0,23,2022-04-25T14:16:20Z',
          'b4,gold,-25,25,2022-04-25T14:16:21Z',
        ];
        write('trades.csv', `${rows.join('\n').replaceAll('gold', 'external:gold')}\n`);
      },
      command: ['tradewind', 'import', 'trades.csv'],
      expectedExitCode: 1,
    },
    {
      say: 'The good ones are recorded. The same file again changes nothing.',
      command: ['tradewind', 'import', 'trades.csv'],
      expectedExitCode: 1,
    },
    {
      say: 'Sold at 25 what was bought for less: the profit is there, and the average price of the rest.',
      command: ['tradewind', 'query', 'external:gold'],
    },
    {
      say: 'A trade that comes late takes its place in the past …',
      prepare: () =>
        write(
          'late.jsonl',
          '{"source_id": "b5", "instrument": "external:gold", "quantity": 50, "price": 22, "executed_at": "2022-04-25T14:16:19Z"}\n',
        ),
      command: ['tradewind', 'import', 'late.jsonl'],
    },
    {
      say: '… and what we held since is right at once, the profit of what was sold after it included.',
      command: ['tradewind', 'executions', 'external:gold'],
    },
    { say: 'At that second:', command: ['tradewind', 'query', 'external:gold', '1650896179'] },
    { say: 'And now:', command: ['tradewind', 'query', 'external:gold'] },
    {
      say: 'When a period is over, close its books: nothing is recorded there any more.',
      command: ['tradewind', 'freeze', '2022-12-31T23:59:59.999999Z'],
    },
    {
      say: 'Somebody who is later than that is refused …',
      prepare: () =>
        write(
          'later.jsonl',
          '{"source_id": "b6", "instrument": "external:gold", "quantity": 1, "price": 22, "executed_at": "2022-06-01T00:00:00Z"}\n',
        ),
      command: ['tradewind', 'import', 'later.jsonl'],
      expectedExitCode: 1,
    },
    {
      say: '… and what we hold stays what it was.',
      command: ['tradewind', 'positions'],
    },
    {
      say: 'Where there is nothing, that is what is said.',
      command: ['tradetracker', 'query', '999'],
      expectedExitCode: 1,
    },
  ];
}
