import type { InstrumentName } from '../../src/domain/instrument.ts';
import type { Trade } from '../../src/domain/trade.ts';
import { CacheRefusal } from '../../src/store/price/price-cache.ts';
import type { PriceConnection } from '../../src/store/price/price-cache.ts';

/** A cache in memory that can be told to fail; it outlives its connections. */
export class TwinPriceCache {
  /**
   * away: no connection can be had · silent: it never answers · frozen: connections can be had, and
   * it never answers · full: it takes nothing.
   */
  trouble: 'none' | 'away' | 'silent' | 'frozen' | 'full' = 'none';
  readonly kept = new Map<InstrumentName, Trade>();
  /** How many trades each write had. */
  readonly writes: number[] = [];
  reads = 0;
  connections = 0;
  attempts = 0;

  readonly connect = async (): Promise<PriceConnection> => {
    this.attempts++;
    if (this.trouble !== 'frozen') await this.#answer();
    if (this.trouble === 'away') throw new Error('Connection refused');
    this.connections++;
    return {
      write: async (trades) => {
        await this.#answer();
        if (this.trouble === 'full') throw new CacheRefusal('OOM');
        this.writes.push(trades.length);
        for (const trade of trades) {
          const kept = this.kept.get(trade.instrument);
          if ((kept?.exchangeTime ?? 0) <= trade.exchangeTime) {
            this.kept.set(trade.instrument, trade);
          }
        }
      },
      read: async (instruments) => {
        this.reads++;
        await this.#answer();
        return instruments.map((name) => this.kept.get(name)).filter((one) => one !== undefined);
      },
      check: () => this.#answer(),
      close: () => void this.connections--,
    };
  };

  async #answer(): Promise<void> {
    if (this.trouble === 'silent' || this.trouble === 'frozen') await new Promise<never>(() => {});
  }
}
