import { type Colour, lighten, mix, type Palette } from './palette.js';
import { type Picture, pictureSizeBytes, planeU, planeV } from './picture.js';
import { ValueNoise } from './value-noise.js';

/** A horizontal band of the scene; it moves as a whole, the faster the nearer it is. */
interface Band {
  /** First row, even. */
  readonly top: number;
  /** One past the last row, even. */
  readonly bottom: number;
  /** Pixels that the band moves to the left in every frame, even so that chroma moves by whole pixels too. */
  readonly stepPx: number;
}

/** The bands of a scene, from far to near. */
export interface Bands {
  readonly horizon: Band;
  readonly field: Band;
  readonly road: Band;
  readonly paving: Band;
}

/** Octaves repeat every `PERIOD_UNIT` pixels, so the scene does too. */
const PERIOD_UNIT = 512;
/** Rows painted between two pauses of {@link Scene.paint}: about a millisecond of work. */
const ROWS_PER_PAUSE = 4;

/**
 * The landscape behind everything: bands of a textured panorama, wider than the picture, that scroll past at whole
 * pixels. It is painted once; a frame costs one or two copies a row.
 */
export class Scene {
  readonly bands: Bands;
  /** The panorama repeats after this many pixels. */
  readonly periodPx: number;
  readonly #panorama: Picture;
  readonly #palette: Palette;
  readonly #seed: number;

  /**
   * @param width even, of the picture that shows the scene
   * @param height even, of the part of the picture that shows it
   * @param framerate frames per second: bands move at the same speed whatever it is
   */
  constructor(width: number, height: number, framerate: number, palette: Palette, seed: number) {
    const step = (speed: number): number => 2 * Math.max(1, Math.round((speed * width * 30) / (1280 * framerate)));
    const row = (fraction: number): number => 2 * Math.round((height * fraction) / 2);
    this.bands = {
      horizon: { top: 0, bottom: row(0.56), stepPx: step(1) },
      field: { top: row(0.56), bottom: row(0.68), stepPx: step(2) },
      road: { top: row(0.68), bottom: row(0.88), stepPx: step(3) },
      paving: { top: row(0.88), bottom: height, stepPx: step(5) },
    };
    this.periodPx = PERIOD_UNIT * Math.ceil((width * 1.25) / PERIOD_UNIT);
    this.#panorama = { data: new Uint8Array(pictureSizeBytes(this.periodPx, height)), width: this.periodPx, height };
    this.#palette = palette;
    this.#seed = seed;
  }

  /** Paints the panorama, pausing often so that a caller on the event loop can let others run. Run it to its end. */
  *paint(): Generator<void, void, void> {
    const { horizon, field, road, paving } = this.bands;
    const painters: readonly (readonly [Band, RowPainter])[] = [
      [horizon, this.#horizonPainter()],
      [field, this.#fieldPainter()],
      [road, this.#roadPainter()],
      [paving, this.#pavingPainter()],
    ];
    const row = new PixelRow(this.periodPx);
    for (const [band, paintRow] of painters) {
      for (let y = band.top; y < band.bottom; y += 1) {
        paintRow(row, y, (y - band.top) / (band.bottom - band.top));
        row.store(this.#panorama, y);
        if (y % ROWS_PER_PAUSE === 0) yield;
      }
    }
  }

  /** Copies the scene as frame `frameNumber` shows it into the top rows of `picture`. */
  draw(picture: Picture, frameNumber: number): void {
    for (const band of Object.values(this.bands)) {
      const offset = (frameNumber * band.stepPx) % this.periodPx;
      copyRows(this.#panorama, 0, picture, 0, band, offset, 1);
      copyRows(this.#panorama, planeU(this.#panorama), picture, planeU(picture), band, offset, 2);
      copyRows(this.#panorama, planeV(this.#panorama), picture, planeV(picture), band, offset, 2);
    }
  }

  #noise(salt: number, ...octaves: readonly (readonly [number, number, number])[]): ValueNoise {
    const list = octaves.map(([cellWidth, cellHeight, amplitude]) => ({ cellWidth, cellHeight, amplitude }));
    return new ValueNoise(this.periodPx, this.#seed * 31 + salt, list);
  }

  #noiseRow(noise: ValueNoise, y: number): Float32Array {
    const row = new Float32Array(this.periodPx);
    noise.fillRow(row, y);
    return row;
  }

  #horizonPainter(): RowPainter {
    const { skyLow, farHill, nearHill } = this.#palette;
    const far = this.#noiseRow(this.#noise(1, [256, 1, 0.09], [64, 1, 0.04], [16, 1, 0.008]), 0);
    const near = this.#noiseRow(this.#noise(2, [128, 1, 0.04], [32, 1, 0.022], [8, 1, 0.018], [4, 1, 0.012]), 0);
    const texture = this.#noise(4, [16, 12, 9], [4, 4, 8], [2, 2, 7]);
    const grain = new Float32Array(this.periodPx);
    const paintSky = this.#skyPainter();
    return (row, y, down) => {
      texture.fillRow(grain, y);
      paintSky(row, y, down);
      const hill = mix(farHill, skyLow, Math.max(0, down - 0.55));
      for (let x = 0; x < this.periodPx; x += 1) {
        const fine = grain[x] ?? 0;
        if (down > 0.9 + (near[x] ?? 0)) row.blend(x, nearHill, nearHill, 0, fine * 1.2);
        else if (down > 0.74 + (far[x] ?? 0)) row.blend(x, hill, hill, 0, fine * 0.6);
      }
    };
  }

  #skyPainter(): RowPainter {
    const { skyTop, skyLow, cloud, sun } = this.#palette;
    const height = this.bands.horizon.bottom;
    const clouds = this.#noise(3, [256, 80, 0.62], [128, 40, 0.4], [64, 24, 0.26], [16, 8, 0.14], [8, 4, 0.08]);
    const cover = new Float32Array(this.periodPx);
    const sunX = this.periodPx * 0.22;
    const sunY = height * 0.34;
    const sunRadius = height * 0.075;
    return (row, y, down) => {
      clouds.fillRow(cover, y);
      const sky = mix(skyTop, skyLow, down ** 0.8);
      for (let x = 0; x < this.periodPx; x += 1) {
        const distance = Math.hypot(x - sunX, y - sunY) / sunRadius;
        const glow = distance < 1 ? 1 : 0.75 * Math.exp((1 - distance) * 0.7);
        const density = Math.min(1, Math.max(0, (cover[x] ?? 0) * 1.5 - 0.05));
        if (glow > density) row.blend(x, sky, sun, glow, 0);
        else row.blend(x, sky, cloud, density, 0);
      }
    };
  }

  #fieldPainter(): RowPainter {
    const { field } = this.#palette;
    const texture = this.#noise(5, [64, 10, 10], [16, 4, 10], [4, 2, 14], [2, 1, 10]);
    const grain = new Float32Array(this.periodPx);
    return (row, y, down) => {
      texture.fillRow(grain, y);
      const colour = lighten(field, 14 - 26 * down);
      for (let x = 0; x < this.periodPx; x += 1) row.blend(x, colour, colour, 0, grain[x] ?? 0);
    };
  }

  #roadPainter(): RowPainter {
    const { road, marking } = this.#palette;
    const texture = this.#noise(6, [128, 16, 5], [8, 4, 5], [2, 2, 9]);
    const grain = new Float32Array(this.periodPx);
    const dash = PERIOD_UNIT / 4;
    return (row, y, down) => {
      texture.fillRow(grain, y);
      const edge = down < 0.06 || down > 0.94;
      const centre = Math.abs(down - 0.47) < 0.025;
      const colour = lighten(road, 6 + 14 * down);
      for (let x = 0; x < this.periodPx; x += 1) {
        const painted = edge || (centre && x % dash < dash * 0.55);
        const surface = painted ? marking : colour;
        row.blend(x, surface, surface, 0, (grain[x] ?? 0) * (painted ? 0.6 : 1));
      }
    };
  }

  #pavingPainter(): RowPainter {
    const { paving } = this.#palette;
    const texture = this.#noise(7, [64, 8, 5], [8, 8, 5], [2, 2, 7]);
    const grain = new Float32Array(this.periodPx);
    const slabWidth = PERIOD_UNIT / 8;
    return (row, y, down) => {
      texture.fillRow(grain, y);
      const kerb = down < 0.16;
      const course = Math.floor(down * 3);
      const joint = !kerb && down * 3 - course < 0.1;
      const colour = lighten(paving, kerb ? 46 : 10 - 12 * down);
      for (let x = 0; x < this.periodPx; x += 1) {
        const along = (x + (course % 2) * slabWidth * 0.5) % slabWidth;
        const gap = joint || along < 2;
        row.blend(x, colour, colour, 0, (gap ? -44 : 0) + (grain[x] ?? 0));
      }
    };
  }
}

/** Paints row `y` of the panorama, `down` of the way from the top of its band (0) to the bottom (1). */
type RowPainter = (row: PixelRow, y: number, down: number) => void;

/** One row of pixels at full resolution, before its chroma is thinned out. */
class PixelRow {
  readonly #luma: Uint8ClampedArray;
  readonly #u: Uint8ClampedArray;
  readonly #v: Uint8ClampedArray;

  constructor(width: number) {
    this.#luma = new Uint8ClampedArray(width);
    this.#u = new Uint8ClampedArray(width / 2);
    this.#v = new Uint8ClampedArray(width / 2);
  }

  /** The colour `amount` of the way from one to another, brightened by `luma`. */
  blend(x: number, from: Colour, to: Colour, amount: number, luma: number): void {
    this.#luma[x] = Math.min(235, Math.max(16, from.y + (to.y - from.y) * amount + luma));
    this.#u[x >> 1] = from.u + (to.u - from.u) * amount;
    this.#v[x >> 1] = from.v + (to.v - from.v) * amount;
  }

  store(picture: Picture, y: number): void {
    picture.data.set(this.#luma, y * picture.width);
    if (y % 2 === 1) return;
    picture.data.set(this.#u, planeU(picture) + (y * picture.width) / 4);
    picture.data.set(this.#v, planeV(picture) + (y * picture.width) / 4);
  }
}

/** Copies the rows of a band from one plane to the narrower other, `offset` pixels into the repeating source. */
function copyRows(
  source: Picture,
  sourceStart: number,
  target: Picture,
  targetStart: number,
  band: Band,
  offset: number,
  scale: 1 | 2,
): void {
  const period = source.width / scale;
  const width = target.width / scale;
  const skip = offset / scale;
  const first = Math.min(width, period - skip);
  for (let y = band.top / scale; y < band.bottom / scale; y += 1) {
    const from = sourceStart + y * period;
    const to = targetStart + y * width;
    target.data.set(source.data.subarray(from + skip, from + skip + first), to);
    if (first < width) target.data.set(source.data.subarray(from, from + width - first), to + first);
  }
}
