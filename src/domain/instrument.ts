/** An exchange: "binance", or "sim-binance" for its simulated twin. */
export type ExchangeName = string;

/** An instrument as exchange:SYMBOL, e.g. "binance:BTCUSDT": the key of everything. */
export type InstrumentName = string;

/** What is known of an instrument's order sizes; a field is undefined where it is not known. */
export type InstrumentLimits = {
  readonly tickSize: bigint | undefined;
  readonly lotSize: bigint | undefined;
  readonly minimumNotional: bigint | undefined;
};

/** Exchange names are lower-case words: they name environment keys and rows. */
const exchangePattern = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

export function instrumentName(exchange: ExchangeName, symbol: string): InstrumentName {
  return `${exchange}:${symbol}`;
}

/** Takes a name apart. A bare symbol has no exchange. A symbol itself may hold a colon. */
export function splitInstrumentName(name: InstrumentName): {
  exchange: ExchangeName | undefined;
  symbol: string;
} {
  const colon = name.indexOf(':');
  if (colon < 0 || !exchangePattern.test(name.slice(0, colon))) {
    return { exchange: undefined, symbol: name };
  }
  return { exchange: name.slice(0, colon), symbol: name.slice(colon + 1) };
}
