import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import type { ServerReflectionRequest } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import type { Listener } from '../../../src/rpc/listener.ts';
import { openTestListener } from '../../support/test-listener.ts';

type Question = Exclude<ServerReflectionRequest['messageRequest'], { case: undefined }>;

describe.each([
  ['v1', ServerReflection],
  ['v1alpha', ServerReflectionAlpha],
])('reflection %s', (_version, service) => {
  let listener: Listener;
  beforeAll(async () => {
    listener = await openTestListener();
  });
  afterAll(() => listener[Symbol.asyncDispose]());

  async function ask(...questions: readonly Question[]) {
    const client = createClient(service, createGrpcTransport({ baseUrl: listener.url }));
    async function* requests() {
      for (const messageRequest of questions) yield { host: 'me', messageRequest };
    }
    const answers = [];
    for await (const answer of client.serverReflectionInfo(requests())) {
      expect(answer.validHost).toBe('me');
      answers.push(answer.messageResponse);
    }
    return answers;
  }

  test('lists the services', async () => {
    const [answer] = await ask({ case: 'listServices', value: '' });
    const names =
      answer?.case === 'listServicesResponse' ? answer.value.service.map(({ name }) => name) : [];
    expect(names).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'tradewind.market.v1.MarketService',
      'tradewind.system.v1.SystemService',
    ]);
  });

  test.each([
    ['tradewind.market.v1.MarketService', 'tradewind/market/v1/market_service.proto'],
    ['tradewind.market.v1.MarketService.StreamCandles', 'tradewind/market/v1/market_service.proto'],
    ['.tradewind.market.v1.Candle', 'tradewind/market/v1/candle.proto'],
    ['tradewind.market.v1.Candle.open_time', 'tradewind/market/v1/candle.proto'],
    ['tradewind.market.v1.StreamCandlesResponse.event', 'tradewind/market/v1/market_service.proto'],
    ['tradewind.market.v1.Timeframe', 'tradewind/market/v1/candle.proto'],
    ['tradewind.market.v1.TIMEFRAME_M1', 'tradewind/market/v1/candle.proto'],
    ['grpc.health.v1.HealthCheckResponse.SERVING', 'grpc/health/v1/health.proto'],
    ['google.protobuf.Timestamp', 'google/protobuf/timestamp.proto'],
    ['buf.validate.field', 'buf/validate/validate.proto'],
  ])('finds the file of %s', async (symbol, file) => {
    const [bySymbol, byName] = await ask(
      { case: 'fileContainingSymbol', value: symbol },
      { case: 'fileByFilename', value: file },
    );
    expect(fileOf(bySymbol).name).toBe(file);
    expect(fileOf(byName).name).toBe(file);
  });

  test('its files are enough to build all types', async () => {
    const found = new Map<string, FileDescriptorProto>();
    // In the order of dependence.
    const fetchAll = async (name: string): Promise<void> => {
      if (found.has(name)) return;
      const [answer] = await ask({ case: 'fileByFilename', value: name });
      const file = fileOf(answer);
      for (const dependency of file.dependency) await fetchAll(dependency);
      found.set(name, file);
    };
    await fetchAll('tradewind/market/v1/market_service.proto');
    const files = create(FileDescriptorSetSchema, { file: [...found.values()] });
    const registry = createFileRegistry(files);
    expect(registry.getService('tradewind.market.v1.MarketService')?.methods).toHaveLength(5);
  });

  test('finds extensions', async () => {
    const options = 'google.protobuf.FieldOptions';
    const [file, numbers] = await ask(
      {
        case: 'fileContainingExtension',
        value: {
          $typeName: 'grpc.reflection.v1.ExtensionRequest',
          containingType: options,
          extensionNumber: 1159,
        },
      },
      { case: 'allExtensionNumbersOfType', value: options },
    );
    expect(fileOf(file).name).toBe('buf/validate/validate.proto');
    expect(numbers).toMatchObject({
      value: { baseTypeName: options, extensionNumber: [1159, 1160] },
    });
  });

  test('answers what it does not know with an error, and goes on', async () => {
    const answers = await ask(
      { case: 'fileByFilename', value: '../../etc/passwd' },
      { case: 'fileContainingSymbol', value: 'nothing' },
      { case: 'fileContainingSymbol', value: 'tradewind.market.v1.MarketService.Nothing' },
      { case: 'allExtensionNumbersOfType', value: 'nothing' },
      { case: 'listServices', value: '' },
    );
    expect(answers.map((answer) => answer.case)).toEqual([
      ...Array.from({ length: 4 }, () => 'errorResponse'),
      'listServicesResponse',
    ]);
    expect(answers[0]).toMatchObject({ value: { errorCode: Code.NotFound } });
  });

  test('answers only so many questions on one stream', async () => {
    const questions = Array.from({ length: 1_001 }, (): Question => ({
      case: 'fileByFilename',
      value: 'nothing',
    }));
    await expect(ask(...questions)).rejects.toMatchObject({ code: Code.ResourceExhausted });
  });
});

test.each(['grpc-v1', 'grpc-v1alpha'])('buf curl calls by reflection %s', async (protocol) => {
  await using listener = await openTestListener();
  const { stdout } = await promisify(execFile)('buf', [
    'curl',
    '--protocol',
    'grpc',
    '--http2-prior-knowledge',
    '--reflect-protocol',
    protocol,
    '-d',
    '{"exchange":"binance"}',
    `${listener.url}/tradewind.market.v1.MarketService/ListInstruments`,
  ]);
  expect(JSON.parse(stdout)).toEqual({ instruments: [{ name: 'binance:BTCUSDT' }] });
});

function fileOf(answer: unknown): FileDescriptorProto {
  expect(answer).toMatchObject({ case: 'fileDescriptorResponse' });
  const { value } = answer as { value: { fileDescriptorProto: Uint8Array[] } };
  const [bytes = new Uint8Array()] = value.fileDescriptorProto;
  return fromBinary(FileDescriptorProtoSchema, bytes);
}
