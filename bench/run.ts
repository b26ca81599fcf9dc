// Runs the benchmarks one after the other, each in a process of its own: `npm run bench -- candles`
// runs those whose name begins so. Without names, those that take minutes are left out.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const takeMinutes = new Set(['soak']);
const wanted = process.argv.slice(2);
const names = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'run.ts')
  .map(({ name }) => name.slice(0, -'.ts'.length))
  .filter((name) =>
    wanted.length === 0 ? !takeMinutes.has(name) : wanted.some((prefix) => name.startsWith(prefix)),
  )
  .toSorted();
if (names.length === 0) {
  console.error(`No benchmark begins with ${wanted.join(' or ')}`);
  process.exit(2);
}
for (const name of names) {
  const { status } = spawnSync(process.execPath, [`${import.meta.dirname}/${name}.ts`], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
