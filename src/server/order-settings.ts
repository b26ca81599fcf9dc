import { parseDecimal } from '../base/decimal.ts';
import type { Decimal } from '../base/decimal.ts';
import { integer, text, url } from '../base/env.ts';
import type { Settings, SettingValues } from '../base/env.ts';
import { crashPoints } from '../order/crash-points.ts';
import type { CrashPoint } from '../order/crash-points.ts';

/** What orders may be, and how servers on one database find each other. */
export const orderSettings = {
  MAX_ORDER_NOTIONAL: {
    schema: text('10000000').refine(isAmount, 'expected a decimal above 0, like 10000000'),
    description: 'Quantity × limit price of an order, in the quote asset; more is refused',
  },
  PRICE_COLLAR_PERCENT: {
    schema: integer(0, 0, 1_000),
    description:
      'Percent that a limit price may be beyond the best price: a buy above the ask, a sell below the bid; further is refused, 0 is any',
  },
  MAX_OPEN_ORDERS_PER_ACCOUNT: {
    schema: integer(10_000, 1, 1_000_000),
    description: 'Open orders of an account on this server; one more is refused',
  },
  MAX_PENDING_ORDERS: {
    schema: integer(4_096, 1, 100_000),
    description: 'Orders that wait for their commit; one more is refused with RESOURCE_EXHAUSTED',
  },
  ORDER_TIMEOUT_SECONDS: {
    schema: integer(30, 1, 86_400),
    description:
      'How long an order of POST /order/limit may wait to be filled, and its caller for that',
  },
  ADVERTISED_URL: {
    schema: url(['http', 'https']),
    description: 'Where other servers on the same database reach this one; default: its own URL',
  },
  CRASH_AT: {
    schema: text().refine(
      (point) => point === undefined || isCrashPoint(point),
      `expected one of ${crashPoints.join(', ')}`,
    ),
    description: 'For tests: the place in the handling of orders at which the process kills itself',
  },
} satisfies Settings;

export type OrderConfig = {
  /** In the quote asset. */
  readonly maximumNotional: Decimal;
  /** undefined: any price. */
  readonly priceCollarPercent: number | undefined;
  readonly maximumOpenOrders: number;
  readonly maximumPendingOrders: number;
  /** Of orders of POST /order/limit. */
  readonly timeoutSeconds: number;
  /** undefined: the listener's own. */
  readonly advertisedUrl: string | undefined;
  readonly crashAt: CrashPoint | undefined;
};

export function orderConfigOf(values: SettingValues<typeof orderSettings>): OrderConfig {
  const { MAX_ORDER_NOTIONAL: notional = '', CRASH_AT: crashAt = '' } = values;
  return {
    maximumNotional: parseDecimal(notional),
    priceCollarPercent: values.PRICE_COLLAR_PERCENT || undefined,
    maximumOpenOrders: values.MAX_OPEN_ORDERS_PER_ACCOUNT,
    maximumPendingOrders: values.MAX_PENDING_ORDERS,
    timeoutSeconds: values.ORDER_TIMEOUT_SECONDS,
    advertisedUrl: values.ADVERTISED_URL,
    crashAt: isCrashPoint(crashAt) ? crashAt : undefined,
  };
}

function isAmount(value: string | undefined): boolean {
  try {
    return value !== undefined && parseDecimal(value) > 0n;
  } catch {
    return false;
  }
}

function isCrashPoint(text: string): text is CrashPoint {
  return crashPoints.some((point) => point === text);
}
