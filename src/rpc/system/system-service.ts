import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import type { SystemService } from '../../../gen/tradewind/system/v1/system_service_pb.ts';
import {
  GetHealthResponseSchema,
  GetModeResponseSchema,
  GetServerInfoResponseSchema,
  Mode as ModeMessage,
  Role as RoleMessage,
  SetModeResponseSchema,
} from '../../../gen/tradewind/system/v1/system_service_pb.ts';
import type { Micros } from '../../base/clock.ts';
import type { ExchangeName } from '../../domain/instrument.ts';
import { modes } from '../../domain/mode.ts';
import type { Mode } from '../../domain/mode.ts';
import { Refusal } from '../../domain/refusal.ts';
import { timestampOf } from '../messages.ts';

export type ServerInfo = {
  readonly version: string;
  readonly run: Micros;
  readonly startTime: Micros;
};

/** Which market a server works on, and who can change it. */
export interface ModeSwitch {
  readonly mode: Mode;
  /** The exchanges that are followed in it, the default one first. */
  readonly exchanges: readonly ExchangeName[];
  /** Whether a change outlasts the server. */
  readonly isKept: boolean;
  /**
   * Goes over to a mode.
   * @returns whether it was another one before
   * @throws Refusal when it cannot; the mode before stays on
   */
  switchTo(mode: Mode): Promise<boolean>;
}

export type HealthStatus = 'ok' | 'degraded' | 'down' | 'off';

/** How something is that the server depends on. */
export type DependencyHealth = {
  readonly status: HealthStatus;
  /** Why, for people; empty while ok. */
  readonly reason: string;
};

export type FeedHealth = DependencyHealth & {
  readonly exchange: ExchangeName;
  /** undefined: it is not followed in this mode. */
  readonly since: Micros | undefined;
};

/** How the server is. */
export type ServerHealth = {
  readonly status: HealthStatus;
  readonly mode: Mode;
  readonly feeds: readonly FeedHealth[];
  readonly postgres: DependencyHealth;
  readonly redis: DependencyHealth;
};

export type SystemServiceParts = {
  readonly info: ServerInfo;
  readonly modes: ModeSwitch;
  readonly health: () => Promise<ServerHealth>;
};

const modeMessages = { TEST: ModeMessage.TEST, LIVE: ModeMessage.LIVE } as const;

/** SystemService over what the server knows of itself. */
export function systemService({
  info,
  modes,
  health,
}: SystemServiceParts): ServiceImpl<typeof SystemService> {
  return {
    getServerInfo: () =>
      create(GetServerInfoResponseSchema, {
        version: info.version,
        run: BigInt(info.run),
        startTime: timestampOf(info.startTime),
        mode: modeMessages[modes.mode],
        roles: [RoleMessage.INGEST, RoleMessage.SERVE],
        defaultExchange: modes.exchanges[0] ?? '',
      }),

    getMode: () =>
      create(GetModeResponseSchema, {
        mode: modeMessages[modes.mode],
        exchanges: [...modes.exchanges],
        kept: modes.isKept,
      }),

    async setMode({ mode: message }) {
      const mode = modeFromMessage(message);
      const changed = await modes.switchTo(mode);
      const text = changed ? `Switched to ${mode} mode` : `The server is in ${mode} mode already`;
      return create(SetModeResponseSchema, { mode: message, changed, message: text });
    },

    async getHealth() {
      const { mode, feeds, ...rest } = await health();
      return create(GetHealthResponseSchema, {
        ...rest,
        mode: modeMessages[mode],
        feeds: feeds.map(({ since, ...feed }) =>
          since === undefined ? feed : { ...feed, since: timestampOf(since) },
        ),
      });
    },
  };
}

function modeFromMessage(message: ModeMessage): Mode {
  const mode = modes.find((one) => modeMessages[one] === message);
  if (mode !== undefined) return mode;
  throw new Refusal('invalid', `mode: expected TEST or LIVE, got ${message}`, { field: 'mode' });
}
