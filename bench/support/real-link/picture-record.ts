import { percentile } from '../../../src/bench/support/percentile.js';

/** A picture that the receiver decoded; times are those of `SystemClock`, which processes of one machine share. */
export interface SeenPicture {
  readonly decodedAtUs: number;
  /** By its bar code; absent if that cannot be read. */
  readonly capturedAtUs?: number;
  readonly cameraId?: number;
}

/** What a driver sees. */
export class PictureRecord {
  readonly #pictures: SeenPicture[] = [];

  add(pictures: readonly SeenPicture[]): void {
    this.#pictures.push(...pictures);
  }

  /** When the first picture of a camera was decoded at or after a time. */
  firstAfter(atUs: number, cameraId: number): SeenPicture | undefined {
    return this.#pictures.find((picture) => picture.cameraId === cameraId && picture.decodedAtUs >= atUs);
  }

  /** From the first picture on: nobody drives before there is one. Of one camera, or where there is but one. */
  figures(startUs: number, endUs: number, cameraId?: number): Readonly<Record<string, number>> {
    const seen = this.#pictures.filter(
      (picture) =>
        picture.decodedAtUs >= startUs &&
        picture.decodedAtUs < endUs &&
        (cameraId === undefined || picture.cameraId === cameraId),
    );
    const changesUs = [...seen.map(({ decodedAtUs }) => decodedAtUs), endUs];
    const standsMs = changesUs.map((atUs, index) => (atUs - (changesUs[index - 1] ?? atUs)) / 1000);
    const latenciesMs = seen.flatMap(({ decodedAtUs, capturedAtUs }) =>
      capturedAtUs === undefined ? [] : [(decodedAtUs - capturedAtUs) / 1000],
    );
    return {
      freeze_ms_max: seen.length === 0 ? (endUs - startUs) / 1000 : percentile(standsMs, 100),
      latency_ms_p50: percentile(latenciesMs, 50),
      latency_ms_p99: percentile(latenciesMs, 99),
      decoded_fps: (seen.length * 1e6) / (endUs - startUs),
    };
  }
}
