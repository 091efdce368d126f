import type { CameraHealth, CameraStatus, SenderStatus } from '../loopback/status.js';
import { type Column, tableLines } from './text-table.js';

type Paint = (text: string) => string;

/** Colours for a terminal, or none. */
export interface Palette {
  readonly good: Paint;
  readonly bad: Paint;
  readonly faint: Paint;
  readonly strong: Paint;
}

const plain: Paint = (text) => text;
const sgr =
  (code: number): Paint =>
  (text) =>
    `\u001b[${code}m${text}\u001b[0m`;

/** No colours, for files and pipes. */
export const plainPalette: Palette = { good: plain, bad: plain, faint: plain, strong: plain };
/** Colours that read well on light and dark terminals. */
export const colourPalette: Palette = { good: sgr(32), bad: sgr(31), faint: sgr(2), strong: sgr(1) };

const COLUMNS: readonly Column<CameraStatus>[] = [
  { title: 'camera', align: 'left', cell: ({ id }) => id },
  { title: 'source', align: 'left', cell: ({ source }) => source },
  { title: 'encoder', align: 'left', cell: ({ codec, encoderImplementation }) => `${codec} ${encoderImplementation}` },
  { title: 'size', align: 'right', cell: ({ width, height }) => `${width}x${height}` },
  { title: 'fps', align: 'right', cell: ({ framerate }) => framerate.toFixed(0) },
  { title: 'target', align: 'right', cell: ({ targetBps }) => rate(targetBps) },
  { title: 'actual', align: 'right', cell: ({ actualBps }) => rate(actualBps) },
  { title: 'weight', align: 'right', cell: ({ weight }) => String(Number(weight.toFixed(2))) },
  { title: 'sent', align: 'right', cell: ({ framesSent }) => String(framesSent) },
  { title: 'dropped', align: 'right', cell: ({ framesDropped }) => String(framesDropped) },
  { title: 'key', align: 'right', cell: ({ keyFrames }) => String(keyFrames) },
  { title: 'swaps', align: 'right', cell: ({ swaps }) => String(swaps) },
  { title: 'health', align: 'left', cell: ({ health }) => health },
];

/** The status of a sender as lines of text. */
export function statusTable(status: SenderStatus, palette: Palette): readonly string[] {
  const [titles = '', ...rows] = tableLines(COLUMNS, status.tracks);
  const state = status.state === 'connected' ? palette.good(status.state) : palette.bad(status.state);
  return [
    `${palette.strong('framelock')}  ${state}  target ${rate(status.targetBps)}  up ${duration(status.uptimeMs)}`,
    '',
    palette.faint(titles),
    ...rows.map((row, index) => paintHealth(row, status.tracks[index]?.health, palette)),
  ];
}

/** Colours the last cell only, so that the columns stay aligned. */
function paintHealth(text: string, health: CameraHealth | undefined, palette: Palette): string {
  if (health === undefined || !text.endsWith(health)) return text;
  const paint =
    health === 'ok' ? palette.good : health === 'stalled' || health === 'failed' ? palette.bad : palette.faint;
  return text.slice(0, -health.length) + paint(health);
}

/** `1.25 Mbit/s`, `640 kbit/s`. */
export function rate(bps: number): string {
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(2)} Mbit/s` : `${Math.round(bps / 1000)} kbit/s`;
}

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
