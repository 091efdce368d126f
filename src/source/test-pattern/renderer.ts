import { barCodeHeight, drawBarCode } from '../bar-code.js';
import { drawOverlay, layOutOverlay, type Overlay } from './overlay.js';
import { paletteOf } from './palette.js';
import { type Picture, pictureSizeBytes } from './picture.js';
import { Scene } from './scene.js';
import { drawMover, type Mover, populate } from './traffic.js';

/** What a test pattern looks like. */
export interface TestPatternLook {
  /** Even, 160 to 16384 pixels. */
  readonly width: number;
  /** Even, 120 to 16384 pixels. */
  readonly height: number;
  /** Frames per second, over 0; things move at the same speed whatever it is. */
  readonly framerate: number;
  /** Shown in the picture, cut off where it does not fit. Letters are shown in upper case. */
  readonly label: string;
  /** 0 to 255: goes into the bar code, and gives the scene its colours and shapes. */
  readonly cameraId: number;
}

/**
 * Draws the test pattern: a street that scrolls past in the camera's own colours, the camera's label, a running clock and the
 * bar code of {@link drawBarCode}. Pure: the same look, frame number and time give the same bytes.
 */
export class TestPatternRenderer {
  readonly look: TestPatternLook;
  /** Bytes of a picture: tightly packed I420. */
  readonly sizeBytes: number;
  readonly #scene: Scene;
  readonly #movers: readonly Mover[];
  readonly #overlay: Overlay;

  private constructor(look: TestPatternLook, scene: Scene, movers: readonly Mover[]) {
    this.look = look;
    this.sizeBytes = pictureSizeBytes(look.width, look.height);
    this.#scene = scene;
    this.#movers = movers;
    this.#overlay = layOutOverlay(look.width, look.height, look.label);
  }

  /** A renderer, with its scene painted on the spot: some 100 ms at 1280x720. */
  static create(look: TestPatternLook): TestPatternRenderer {
    const steps = TestPatternRenderer.prepare(look);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /** As {@link create}, in steps of a millisecond or so, for callers that must not hold up the event loop. */
  static *prepare(look: TestPatternLook): Generator<void, TestPatternRenderer, void> {
    const { width, height, framerate, cameraId } = look;
    const palette = paletteOf(cameraId);
    const sceneHeight = 2 * Math.ceil((height - barCodeHeight(height)) / 2);
    const scene = new Scene(width, sceneHeight, framerate, palette, cameraId);
    yield* scene.paint();
    const movers: Mover[] = [];
    for (const mover of populate(scene, width, palette, cameraId)) {
      movers.push(mover);
      yield;
    }
    return new TestPatternRenderer(look, scene, movers);
  }

  /**
   * Draws picture `frameNumber` into `target`, all `sizeBytes` of it.
   *
   * @param frameNumber 0 to 2^32 - 1
   * @param captureTimeUs microseconds since the Unix epoch; shown by the clock and told by the bar code
   */
  render(target: Uint8Array, frameNumber: number, captureTimeUs: number): void {
    const { width, height, cameraId } = this.look;
    const picture: Picture = { data: target, width, height };
    this.#scene.draw(picture, frameNumber);
    for (const mover of this.#movers) drawMover(picture, mover, frameNumber);
    drawOverlay(picture, this.#overlay, frameNumber, captureTimeUs);
    drawBarCode(picture, { cameraId, frameNumber, captureTimeUs });
  }
}
