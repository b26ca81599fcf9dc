import { hashAt } from './random.ts';

/** [period in minutes, how far it moves the price to either side]; together less than ±25 %. */
const octaves: readonly (readonly [periodMinutes: number, amplitude: number])[] = [
  [150_000, 0.1],
  [43_000, 0.06],
  [10_100, 0.035],
  [2_500, 0.018],
  [620, 0.01],
  [150, 0.005],
  [37, 0.0025],
  [9, 0.0013],
  [2, 0.0008],
];

/**
 * The price at the beginning of a minute as a factor around 1: a sum of smooth noises, slow ones
 * that move it far and quick ones that move it little, so that any minute can be asked at once.
 */
export function priceFactorAt(seed: number, minute: number): number {
  let factor = 1;
  for (let index = 0; index < octaves.length; index++) {
    const [period, amplitude] = octaves[index] as readonly [number, number];
    factor += amplitude * smoothNoise(seed + index * 7919, minute / period);
  }
  return factor;
}

/** How busy a minute is: quantities are this many times the usual ones, 1 to 6. */
export function activityAt(seed: number, minute: number): number {
  const noise = (smoothNoise(seed + 104_729, minute / 45) + 1) / 2;
  return 1 + Math.floor(5.99 * noise * noise * noise);
}

/** A curve through one random value in (-1, 1) for each integer, level at each of them. */
function smoothNoise(seed: number, position: number): number {
  const place = Math.floor(position);
  const along = position - place;
  const from = hashAt(seed, place) / 0x8000_0000 - 1;
  const to = hashAt(seed, place + 1) / 0x8000_0000 - 1;
  return from + (to - from) * along * along * (3 - 2 * along);
}
