interface Frame {
  readonly isKey: boolean;
  missingPackets: number;
}

/** What somebody sees of a camera: a frame is shown once all of it has come, and all that it refers to has been shown. */
export class PictureWatch {
  readonly #frames: Frame[] = [];
  #shown = -1;
  /** When each picture was shown, and whether it was a key frame. */
  readonly pictures: { readonly atUs: number; readonly isKey: boolean }[] = [];
  /** When each key frame was made. */
  readonly keyFramesUs: number[] = [];

  /** What lies before it is not needed any more. */
  newestKeyFrame = 0;

  /** A frame was encoded; its number. */
  encoded(isKey: boolean, packets: number, nowUs: number): number {
    if (isKey) {
      this.keyFramesUs.push(nowUs);
      this.newestKeyFrame = this.#frames.length;
    }
    return this.#frames.push({ isKey, missingPackets: packets }) - 1;
  }

  arrived(number: number, nowUs: number): void {
    const frame = this.#frames[number];
    if (frame === undefined) return;
    frame.missingPackets -= 1;
    if (frame.missingPackets > 0 || number <= this.#shown) return;
    if (frame.isKey) this.#shown = number - 1;
    for (let next = this.#frames[this.#shown + 1]; next?.missingPackets === 0; next = this.#frames[this.#shown + 1]) {
      this.#shown += 1;
      this.pictures.push({ atUs: nowUs, isKey: next.isKey });
    }
  }

  /** The longest time without a new picture, in milliseconds. */
  freezeMs(fromUs: number, toUs: number): number {
    const shown = this.pictures.map(({ atUs }) => atUs).filter((atUs) => atUs > fromUs && atUs < toUs);
    let longestUs = 0;
    let formerUs = fromUs;
    for (const atUs of [...shown, toUs]) {
      longestUs = Math.max(longestUs, atUs - formerUs);
      formerUs = atUs;
    }
    return longestUs / 1000;
  }
}
