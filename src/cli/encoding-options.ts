import type { HardwareEncoder } from '../encoder/node-av/hardware-profiles.js';
import type { DegradationPreference } from '../sender/encoding/resolution-governor.js';
import { usageError } from './usage-error.js';

/** How cameras are encoded, as far as the command line tells. */
export interface EncodingOptions {
  /** Whether each encoder runs in a process of its own. */
  readonly isolation: 'none' | 'process';
  /** Hardware that is tried before software, in this order. */
  readonly hardwareEncoders: readonly HardwareEncoder[];
  /** What gives way when the rate is too low. */
  readonly degradationPreference: DegradationPreference;
}

/** The options of commands that encode, as `parseArgs` of node:util takes them. */
export const ENCODING_OPTIONS = {
  isolation: { type: 'string' },
  hardware: { type: 'string' },
  degradation: { type: 'string' },
} as const;

/** The same for people. */
export const ENCODING_HELP = `  --isolation KIND   process: each encoder in a process of its own         [none]
  --hardware LIST    H.264 in hardware, the first that opens, for example
                     nvenc,vaapi (also qsv, amf, v4l2m2m), then software   [software]
  --degradation KIND what gives way at low rates: maintain-framerate,
                     maintain-resolution or balanced                       [balanced]`;

const ISOLATIONS: readonly EncodingOptions['isolation'][] = ['none', 'process'];
const HARDWARE: readonly HardwareEncoder[] = ['nvenc', 'vaapi', 'qsv', 'amf', 'v4l2m2m'];
const PREFERENCES: readonly DegradationPreference[] = ['maintain-framerate', 'maintain-resolution', 'balanced'];

/** @throws FramelockError USAGE */
export function parseEncoding(
  values: {
    readonly [Name in keyof typeof ENCODING_OPTIONS]?: string | undefined;
  },
): EncodingOptions {
  const { isolation = 'none', hardware, degradation = 'balanced' } = values;
  return {
    isolation: oneOf(ISOLATIONS, isolation, '--isolation'),
    hardwareEncoders:
      hardware === undefined ? [] : hardware.split(',').map((name) => oneOf(HARDWARE, name, '--hardware')),
    degradationPreference: oneOf(PREFERENCES, degradation, '--degradation'),
  };
}

function oneOf<Value extends string>(known: readonly Value[], text: string, option: string): Value {
  const value = known.find((candidate) => candidate === text.trim().toLowerCase());
  if (value !== undefined) return value;
  throw usageError(`${option} ${text}: it must be one of ${known.join(', ')}`);
}
