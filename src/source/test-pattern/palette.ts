/** A colour in video-range YCbCr (ITU-R BT.601): y in [16, 235], u and v in [16, 240]. */
export interface Colour {
  readonly y: number;
  readonly u: number;
  readonly v: number;
}

/** The colours of one camera's scene. */
export interface Palette {
  readonly skyTop: Colour;
  readonly skyLow: Colour;
  readonly cloud: Colour;
  readonly sun: Colour;
  readonly farHill: Colour;
  readonly nearHill: Colour;
  readonly field: Colour;
  readonly crown: Colour;
  readonly trunk: Colour;
  readonly road: Colour;
  readonly marking: Colour;
  readonly paving: Colour;
  /** Vehicle bodies. */
  readonly bodies: readonly Colour[];
}

/** Hue of camera 0, and the golden angle, which keeps the hues of any number of cameras apart; degrees. */
const FIRST_HUE = 208;
const GOLDEN_ANGLE = 137.508;

/** The palette of a camera: every id has its own hue. */
export function paletteOf(cameraId: number): Palette {
  const hue = FIRST_HUE + cameraId * GOLDEN_ANGLE;
  return {
    skyTop: hsl(hue, 0.6, 0.42),
    skyLow: hsl(hue + 12, 0.55, 0.8),
    cloud: hsl(hue + 20, 0.35, 0.95),
    sun: hsl(hue + 200, 0.9, 0.93),
    farHill: hsl(hue + 6, 0.32, 0.58),
    nearHill: hsl(hue - 8, 0.34, 0.38),
    field: hsl(hue - 95, 0.3, 0.4),
    crown: hsl(hue - 80, 0.38, 0.27),
    trunk: hsl(hue + 180, 0.25, 0.22),
    road: hsl(hue, 0.08, 0.32),
    marking: hsl(hue + 30, 0.15, 0.88),
    paving: hsl(hue + 165, 0.14, 0.56),
    bodies: [hsl(hue + 180, 0.75, 0.55), hsl(hue + 30, 0.1, 0.9), hsl(hue + 120, 0.6, 0.42)],
  };
}

/** `from` at 0, `to` at 1. */
export function mix(from: Colour, to: Colour, amount: number): Colour {
  return {
    y: from.y + (to.y - from.y) * amount,
    u: from.u + (to.u - from.u) * amount,
    v: from.v + (to.v - from.v) * amount,
  };
}

/** The same hue, brighter or darker by `luma` steps. */
export function lighten(colour: Colour, luma: number): Colour {
  return { y: colour.y + luma, u: colour.u, v: colour.v };
}

/** Hue in degrees (any turn), saturation and lightness in [0, 1]. */
function hsl(hue: number, saturation: number, lightness: number): Colour {
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const sector = (((offset + hue / 30) % 12) + 12) % 12;
    return lightness - chroma * Math.max(-1, Math.min(sector - 3, 9 - sector, 1));
  };
  return fromRgb(channel(0), channel(8), channel(4));
}

/** R'G'B' in [0, 1] to YCbCr with the luma coefficients of ITU-R BT.601 section 2.5. */
function fromRgb(red: number, green: number, blue: number): Colour {
  const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
  return {
    y: 16 + 219 * luma,
    u: 128 + (224 * (blue - luma)) / 1.772,
    v: 128 + (224 * (red - luma)) / 1.402,
  };
}
