import type { Clock } from '../core/clock.js';
import { loadCodecAddon } from '../encoder/native-codecs/codec-addon.js';
import { probeEncoders } from '../encoder/node-av/probe-encoders.js';
import { listCameras } from '../source/v4l2/list-cameras.js';
import type { ProbeCommand } from './command-line.js';
import type { Interruption } from './interruption.js';
import { cameraLines, nativeLine, probeTable } from './probe-table.js';
import type { Palette } from './status-table.js';
import type { Output } from './terminal.js';

/** Runs `framelock probe`: tries every encoder, lists cameras, and prints what works, as a table or as one line of JSON. @throws FramelockError CLOSED */
export async function runProbe(
  { json }: ProbeCommand,
  environment: {
    readonly output: Output;
    readonly palette: Palette;
    readonly interruption: Interruption;
    readonly clock: Clock;
  },
): Promise<void> {
  const { output, palette, interruption, clock } = environment;
  const encoders = await probeEncoders({ clock, signal: interruption.signal });
  const cameras = await listCameras();
  const native = loadCodecAddon();
  const codecs = native.kind === 'loaded' ? native.addon.codecs : [];
  const lines = json
    ? [JSON.stringify({ encoders, native: { state: native.kind, codecs }, cameras })]
    : [...probeTable(encoders, palette), nativeLine(native), ...cameraLines(cameras)];
  output.write(`${lines.join('\n')}\n`);
}
