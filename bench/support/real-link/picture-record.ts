import { percentile } from '../percentile.js';

/** A picture that the receiver decoded; times are those of `SystemClock`, which processes of one machine share. */
export interface SeenPicture {
  readonly decodedAtUs: number;
  /** By its bar code; absent if that cannot be read. */
  readonly capturedAtUs?: number;
}

/** What a driver sees. */
export class PictureRecord {
  readonly #pictures: SeenPicture[] = [];

  add(pictures: readonly SeenPicture[]): void {
    this.#pictures.push(...pictures);
  }

  /** From the first picture on: nobody drives before there is one. */
  figures(startUs: number, endUs: number): Readonly<Record<string, number>> {
    const seen = this.#pictures.filter(({ decodedAtUs }) => decodedAtUs >= startUs && decodedAtUs < endUs);
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
