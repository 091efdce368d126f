import { drawText, textHeight, textWidth } from './bitmap-font.js';
import { type Picture, planeU, planeV } from './picture.js';

const LABEL_LEVEL = 235;
const CLOCK_LEVEL = 190;

/** The plate with the label and the clock. */
export interface Overlay {
  readonly label: string;
  readonly labelScale: number;
  readonly clockScale: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly paddingPx: number;
}

/** Room for hours to milliseconds and a frame number of five digits. */
const CLOCK_SAMPLE = '00:00:00.000Z #00000';

/** Finds the plate's place and sizes for a picture. */
export function layOutOverlay(width: number, height: number, text: string): Overlay {
  const clockScale = Math.max(1, Math.round(height / 240));
  const labelScale = clockScale + Math.max(1, Math.round(clockScale / 2));
  const paddingPx = 4 * clockScale;
  const left = 2 * Math.round(height / 60);
  const clockWidth = textWidth(CLOCK_SAMPLE, clockScale);
  const room = width - 2 * left - 2 * paddingPx;
  const label = text.slice(0, Math.floor((room / labelScale + 1) / 6));
  const inner = Math.max(textWidth(label, labelScale), Math.min(clockWidth, room));
  return {
    label,
    labelScale,
    clockScale,
    left,
    top: left,
    width: 2 * Math.ceil((inner + 2 * paddingPx) / 2),
    height: 2 * Math.ceil((textHeight(labelScale) + textHeight(clockScale) + 3 * paddingPx) / 2),
    paddingPx,
  };
}

/** Draws the plate with the time of day and the frame number. */
export function drawOverlay(picture: Picture, overlay: Overlay, frameNumber: number, captureTimeUs: number): void {
  const clock = `${clockText(captureTimeUs)}Z #${frameNumber}`;
  dim(picture, overlay);
  const plane = { data: picture.data, stride: picture.width };
  const x = overlay.left + overlay.paddingPx;
  const labelTop = overlay.top + overlay.paddingPx;
  drawText(plane, overlay.label, x, labelTop, overlay.labelScale, LABEL_LEVEL);
  const clockTop = labelTop + textHeight(overlay.labelScale) + overlay.paddingPx;
  drawText(plane, clock, x, clockTop, overlay.clockScale, CLOCK_LEVEL);
}

/** Dark glass over the plate: a third of the light, half of the colour. */
function dim(picture: Picture, overlay: Overlay): void {
  const { data, width } = picture;
  for (let y = overlay.top; y < overlay.top + overlay.height; y += 1) {
    const end = y * width + overlay.left + overlay.width;
    for (let at = end - overlay.width; at < end; at += 1) data[at] = 14 + (((data[at] ?? 0) * 77) >> 8);
  }
  for (const start of [planeU(picture), planeV(picture)]) {
    for (let y = overlay.top / 2; y < (overlay.top + overlay.height) / 2; y += 1) {
      const end = start + ((y * width + overlay.left + overlay.width) >> 1);
      for (let at = end - overlay.width / 2; at < end; at += 1) data[at] = 64 + ((data[at] ?? 0) >> 1);
    }
  }
}

/** Time of day in UTC, to the millisecond. */
function clockText(timeUs: number): string {
  const ms = Math.floor(timeUs / 1000);
  const digits = (value: number, count: number): string => String(value).padStart(count, '0');
  const hours = Math.floor(ms / 3_600_000) % 24;
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = Math.floor(ms / 1000) % 60;
  return `${digits(hours, 2)}:${digits(minutes, 2)}:${digits(seconds, 2)}.${digits(ms % 1000, 3)}`;
}
