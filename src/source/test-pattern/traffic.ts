import type { Palette } from './palette.js';
import type { Picture } from './picture.js';
import type { Scene } from './scene.js';
import type { Sprite } from './sprite.js';
import { car, post, tree } from './sprites.js';

const TREES = 7;

/** A sprite on its way across the picture. */
export interface Mover {
  readonly sprite: Sprite;
  readonly top: number;
  /** Even pixels to the left (negative) or right in every frame. */
  readonly stepPx: number;
  /** It comes round again after this many pixels; even. */
  readonly periodPx: number;
  readonly startPx: number;
}

/**
 * What moves through the scene: trees beside the road, cars on it, posts in front of it. What is nearer comes later. Each
 * sprite is painted when it is asked for.
 *
 * @param width of the picture, pixels
 */
export function* populate(scene: Scene, width: number, palette: Palette, seed: number): Generator<Mover, void, void> {
  const { field, road, paving } = scene.bands;
  const height = paving.bottom;
  for (let index = 0; index < TREES; index += 1) {
    const size = even(height * (0.24 + 0.05 * ((index * 3) % 4)));
    yield {
      sprite: tree(palette, size, seed * 64 + index),
      top: even(field.top + (field.bottom - field.top) * (0.35 + 0.18 * (index % 3))) - size,
      stepPx: -field.stepPx,
      periodPx: scene.periodPx,
      startPx: even((scene.periodPx * (index + 0.3 * (index % 2))) / TREES),
    };
  }
  const carWidth = even(height * 0.4);
  for (const [index, body] of palette.bodies.entries()) {
    const far = index % 2 === 0;
    const sprite = car(body, far ? even(carWidth * 0.8) : carWidth, far);
    yield {
      sprite,
      top: even(road.top + (road.bottom - road.top) * (far ? 0.4 : 0.86)) - sprite.height,
      // One speed and period a lane: cars must not drive through each other.
      stepPx: far ? -(road.stepPx + field.stepPx) : field.stepPx,
      periodPx: even(width * 1.6),
      startPx: even(width * 0.4 * index),
    };
  }
  const postHeight = even(height * 0.17);
  yield {
    sprite: post(palette, postHeight),
    top: even(paving.top + (paving.bottom - paving.top) * 0.62) - postHeight,
    stepPx: -paving.stepPx,
    periodPx: scene.periodPx / 2,
    startPx: even(width * 0.2),
  };
}

/** Draws a mover where frame `frameNumber` has it. */
export function drawMover(picture: Picture, mover: Mover, frameNumber: number): void {
  const { sprite, stepPx, periodPx } = mover;
  const travelled = (mover.startPx + frameNumber * stepPx) % periodPx;
  // One period to the left first: it may still be leaving, and with short periods there are several in sight.
  for (let left = travelled - 2 * periodPx; left < picture.width; left += periodPx) {
    sprite.draw(picture, left, mover.top);
  }
}

function even(value: number): number {
  return 2 * Math.round(value / 2);
}
