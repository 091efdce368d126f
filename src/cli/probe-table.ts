import { describeError } from '../core/errors.js';
import type { CodecAddonState } from '../encoder/native-codecs/codec-addon.js';
import type { EncoderProbe } from '../encoder/node-av/encoder-candidates.js';
import type { CameraDevice } from '../source/v4l2/list-cameras.js';
import type { Palette } from './status-table.js';
import { type Column, tableLines } from './text-table.js';

/** A driver's words are cut off here. */
const MAX_REASON_CHARACTERS = 72;

const COLUMNS: readonly Column<EncoderProbe>[] = [
  { title: 'codec', align: 'left', cell: ({ codec }) => codec },
  { title: 'encoder', align: 'left', cell: ({ encoderName }) => encoderName },
  { title: 'kind', align: 'left', cell: ({ kind }) => kind },
  { title: 'works', align: 'left', cell: ({ opens }) => (opens ? 'yes' : 'no') },
  { title: 'open', align: 'right', cell: ({ openMs }) => milliseconds(openMs) },
  { title: 'first frame', align: 'right', cell: ({ encodeMs }) => milliseconds(encodeMs) },
  { title: 'reason', align: 'left', cell: ({ reason = '' }) => shortened(reason) },
];

/** What came of trying the encoders, as lines of text: what works in full, the rest faint. */
export function probeTable(probes: readonly EncoderProbe[], palette: Palette): readonly string[] {
  const [titles = '', ...rows] = tableLines(COLUMNS, probes);
  const paint = (row: string, index: number): string => (probes[index]?.opens === true ? row : palette.faint(row));
  return [palette.strong(titles), ...rows.map(paint)];
}

/** What became of the native encoders, as a line of text. */
export function nativeLine(state: CodecAddonState): string {
  switch (state.kind) {
    case 'loaded':
      return `native encoders: ${state.addon.codecs.join(', ')}`;
    case 'broken':
      return `native encoders: built, but they do not load: ${shortened(describeError(state.error))}`;
    case 'not built':
      return 'native encoders: not built (npm run build:native)';
    case 'switched off':
      return 'native encoders: switched off (FRAMELOCK_NATIVE=0)';
  }
}

/** The cameras that there are, a line each. */
export function cameraLines(cameras: readonly CameraDevice[]): readonly string[] {
  if (cameras.length === 0) return ['cameras: none'];
  const stateOf = ({ index, accessible, group }: CameraDevice): string => {
    if (!accessible) return group === undefined ? 'may not be opened' : `may be opened by the group ${group} only`;
    return index === 0 ? 'may be opened' : 'data about pictures, as a rule';
  };
  return cameras.map((camera) => `camera ${camera.device}: ${shortened(camera.name)} (${stateOf(camera)})`);
}

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? '-' : `${ms.toFixed(1)} ms`;
}

/** One line of few words. */
function shortened(reason: string): string {
  const text = reason.replaceAll(/\s+/g, ' ').trim();
  return text.length <= MAX_REASON_CHARACTERS ? text : `${text.slice(0, MAX_REASON_CHARACTERS - 1)}…`;
}
