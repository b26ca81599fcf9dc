import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { PackageDefinition } from '@grpc/proto-loader';

const includeDirs = ['../../proto', '../../third_party', '.'].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);

/** Parses these files of proto/, third_party/ and this folder, as a client in the field would. */
export function loadProtos(...files: readonly string[]): PackageDefinition {
  return loadSync([...files], {
    includeDirs,
    longs: String,
    enums: String,
    oneofs: true,
    defaults: true,
  });
}
