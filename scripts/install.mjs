// Installs the dependencies when they are missing or not those of package-lock.json. Runs before
// every npm script that needs them, on whatever Node npm itself runs on, so it uses nothing new.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const marker = `${root}node_modules/.installed`;
const wanted = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');

if (!existsSync(marker) || readFileSync(marker, 'utf8') !== wanted) {
  console.error('Installing dependencies (once, about a minute) …');
  // npm sets npm_execpath for its scripts: the same npm is used again, whatever it is called.
  const npm = process.env.npm_execpath;
  // Not `npm ci`: it refuses a lock file that lacks the binaries of any platform, and what a registry
  // does not carry cannot be locked. This takes the locked versions, and leaves the lock file alone.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, error } = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    console.error(`npm install failed${error ? `: ${error.message}` : ''}`);
    process.exit(1);
  }
  writeFileSync(marker, wanted);
}
