import { SystemClock } from '../../src/core/clock.js';
import { MediaLink } from '../../src/loopback/media/media-link.js';
import { parseOffer } from '../../src/loopback/sdp/sdp-offer.js';
import { answerOf } from '../../test/transport/answer-of.js';

/** A peer on 127.0.0.1 that decrypts what comes and forgets it. */
export class RawSink {
  readonly #link: MediaLink;

  private constructor(link: MediaLink) {
    this.#link = link;
  }

  static async open(): Promise<RawSink> {
    return new RawSink(await MediaLink.open(new SystemClock()));
  }

  answer(offer: string): string {
    const ignored = (): void => undefined;
    this.#link.start(parseOffer(offer), { connected: ignored, rtp: ignored, rtcp: ignored, lost: ignored });
    return answerOf(offer, this.#link.local);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
