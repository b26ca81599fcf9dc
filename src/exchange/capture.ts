import type { Micros } from '../base/clock.ts';

/** Takes a text frame as it was received. */
export type FrameHandler = (frame: string, receivedTime: Micros) => void;
