import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = (name: string) => fileURLToPath(new URL(`certificate/${name}`, import.meta.url));

/**
 * A certificate for localhost, its key, and itself as its authority, valid from 2020 to 2119. The
 * key is public and protects nothing: Node cannot make certificates, and tests need the same one
 * everywhere.
 */
export const testCertificate = {
  certFile: file('certificate.pem'),
  keyFile: file('key.pem'),
  ca: readFileSync(file('certificate.pem')),
};
