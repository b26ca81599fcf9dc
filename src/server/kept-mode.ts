import type { Logger } from '../base/logger.ts';
import type { Mode } from '../domain/mode.ts';
import type { ModeStore } from '../store/mode-store.ts';

/**
 * The mode to start in: the one that was switched to, as long as the same is configured as then; a
 * configuration that was changed since is the newer word, and is kept as that.
 */
export async function modeToStartIn(
  configured: Mode,
  store: ModeStore | undefined,
  logger: Logger,
): Promise<Mode> {
  if (store === undefined) return configured;
  try {
    const kept = await store.read();
    if (kept === undefined) return configured;
    if (kept.configured === configured) return kept.mode;
    await store.keep({ mode: configured, configured });
  } catch (error) {
    // Market data does not wait for the database.
    logger.warn({ err: error, mode: configured }, 'The kept mode cannot be read, going by MODE');
  }
  return configured;
}
