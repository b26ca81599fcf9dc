import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import type { SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import {
  GetServerInfoResponseSchema,
  Mode as ModeMessage,
  Role as RoleMessage,
} from '../../gen/tradewind/system/v1/system_service_pb.ts';
import type { Micros } from '../base/clock.ts';
import type { ExchangeName } from '../domain/instrument.ts';
import { timestampOf } from './messages.ts';

/** Which market a server works on. */
export type Mode = 'TEST' | 'LIVE';

export type ServerInfo = {
  readonly version: string;
  readonly run: Micros;
  readonly startTime: Micros;
  readonly mode: Mode;
  readonly defaultExchange: ExchangeName;
};

export function systemService(info: ServerInfo): ServiceImpl<typeof SystemService> {
  const response = create(GetServerInfoResponseSchema, {
    version: info.version,
    run: BigInt(info.run),
    startTime: timestampOf(info.startTime),
    mode: info.mode === 'TEST' ? ModeMessage.TEST : ModeMessage.LIVE,
    roles: [RoleMessage.INGEST, RoleMessage.SERVE],
    defaultExchange: info.defaultExchange,
  });
  return { getServerInfo: () => response };
}
