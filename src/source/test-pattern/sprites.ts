import { type Colour, lighten, mix, type Palette } from './palette.js';
import { Sprite } from './sprite.js';
import { hash } from './value-noise.js';

const GLASS: Colour = { y: 58, u: 138, v: 122 };
const TYRE: Colour = { y: 28, u: 128, v: 128 };
const HUB: Colour = { y: 150, u: 128, v: 128 };
const SHADOW: Colour = { y: 34, u: 128, v: 128 };
const HEADLIGHT: Colour = { y: 225, u: 96, v: 142 };
const TAILLIGHT: Colour = { y: 90, u: 100, v: 205 };

/** A tree with its trunk; `height` even. */
export function tree(palette: Palette, height: number, seed: number): Sprite {
  const width = even(height * 0.62);
  return new Sprite(width, height, (x, y) => {
    const across = (x + 0.5) / width - 0.5;
    const down = y / height;
    const ragged = 0.03 * hash(0, Math.floor(y / 3), seed) + 0.02 * hash(1, y, seed);
    const radius = 0.46 * Math.sqrt(Math.max(0, 1 - ((down - 0.4) / 0.4) ** 2)) + ragged;
    if (down < 0.78 && Math.abs(across) < radius) {
      const leaves = 15 * hash(x >> 2, y >> 2, seed) + 8 * hash(x >> 1, y >> 1, seed + 1);
      const light = 34 * (0.45 - down) - 46 * across;
      return lighten(palette.crown, leaves + light);
    }
    if (down >= 0.7 && Math.abs(across) < 0.045) return lighten(palette.trunk, -60 * across * 8);
    return undefined;
  });
}

/** A car that faces right, or left if `mirrored`; `width` even. */
export function car(body: Colour, width: number, mirrored: boolean): Sprite {
  const height = even(width * 0.36);
  const wheelRadius = height * 0.19;
  return new Sprite(width, height, (x, y) => {
    const across = (mirrored ? width - 1 - x + 0.5 : x + 0.5) / width;
    const down = (y + 0.5) / height;
    for (const axle of [0.2, 0.79]) {
      const distance = Math.hypot((across - axle) * width, (down - 0.81) * height) / wheelRadius;
      if (distance < 0.45) return HUB;
      if (distance < 1) return TYRE;
    }
    return coachwork(body, across, down);
  });
}

function coachwork(body: Colour, across: number, down: number): Colour | undefined {
  if (down >= 0.46 && down < 0.84) {
    const inset = 0.012 + 0.05 * Math.max(0, (0.56 - down) / 0.1) ** 2;
    if (across < inset || across > 1 - inset) return undefined;
    if (down < 0.62 && across > 0.95) return HEADLIGHT;
    if (down < 0.62 && across < 0.045) return TAILLIGHT;
    const doorGap = Math.abs(across - 0.5) < 0.004 && down < 0.78;
    return lighten(body, doorGap ? -40 : 26 - 100 * (down - 0.46));
  }
  if (down < 0.46) return cabin(body, across, down);
  return across > 0.06 && across < 0.94 && down < 0.95 ? SHADOW : undefined;
}

function cabin(body: Colour, across: number, down: number): Colour | undefined {
  const slope = (0.46 - down) / 0.46;
  const left = 0.16 + 0.13 * slope;
  const right = 0.8 - 0.2 * slope;
  if (across < left || across > right || down < 0.04) return undefined;
  const pillar = Math.abs(across - 0.5) < 0.012 || across < left + 0.02 || across > right - 0.02;
  if (down < 0.11 || pillar) return lighten(body, 12);
  return lighten(GLASS, 40 * (0.46 - down) + (across * 2 + down > 1.25 ? 18 : 0));
}

/** A striped post at the edge of the road; `height` even. */
export function post(palette: Palette, height: number): Sprite {
  const width = even(height * 0.15);
  const [accent = palette.marking] = palette.bodies;
  return new Sprite(width, height, (x, y) => {
    const across = (x + 0.5) / width - 0.5;
    const down = y / height;
    if (Math.abs(across) > 0.25 + down * 5) return undefined;
    const stripe = Math.floor(down * 5 + across * 0.6) % 2 === 0 ? accent : palette.marking;
    return mix(lighten(stripe, 20), lighten(stripe, -50), Math.abs(across + 0.2) * 1.3);
  });
}

function even(value: number): number {
  return Math.max(2, Math.round(value / 2) * 2);
}
