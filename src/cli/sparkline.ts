const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Draws values as a line of blocks, the lowest one ▁ and the highest one █; equal ones in the middle. */
export function sparkline(values: readonly bigint[]): string {
  const [first] = values;
  if (first === undefined) return '';
  const low = values.reduce((a, b) => (b < a ? b : a), first);
  const high = values.reduce((a, b) => (b > a ? b : a), first);
  if (low === high) return '▄'.repeat(values.length);
  const steps = BigInt(blocks.length - 1);
  return values.map((value) => blocks[Number(((value - low) * steps) / (high - low))]).join('');
}
