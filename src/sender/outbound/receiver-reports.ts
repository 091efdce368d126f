import { roundTripTimeUs } from '../../rtp/media-time.js';
import type { ReportBlock } from '../../rtp/rtcp-packet.js';
import type { RemoteInboundStats } from '../stats/track-stats.js';

/** No round trip is measured to be shorter; also covers the rounding of report times to 1/65536 s. */
const ROUNDING_US = 1_000;

/**
 * What one peer reports of one stream (RFC 3550 section 6.4.1).
 *
 * Owner: the stream; a new peer gets a new instance. Times come in as arguments, in microseconds on the wall clock that stamps sender reports.
 */
export class ReceiverReports {
  readonly #clockRate: number;
  #firstSenderReportUs: number | undefined;
  #latest: RemoteInboundStats | undefined;
  #roundTripUs: number | undefined;
  #totalRoundTripUs = 0;
  #measurements = 0;

  /** @param clockRate of the stream's RTP timestamps, Hz */
  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  /** What was reported last. */
  get latest(): RemoteInboundStats | undefined {
    return this.#latest;
  }

  /** Measured last. */
  get roundTripUs(): number | undefined {
    return this.#roundTripUs;
  }

  senderReported(nowUs: number): void {
    this.#firstSenderReportUs ??= nowUs;
  }

  receive(block: ReportBlock, arrivalUs: number): void {
    const measuredUs = this.#measure(block, arrivalUs);
    if (measuredUs !== undefined) {
      this.#roundTripUs = measuredUs;
      this.#totalRoundTripUs += measuredUs;
      this.#measurements += 1;
    }
    this.#latest = {
      timestamp: arrivalUs / 1000,
      fractionLost: block.fractionLost / 256,
      packetsLost: block.cumulativeLost,
      jitter: block.jitter / this.#clockRate,
      ...(this.#roundTripUs === undefined ? {} : { roundTripTime: this.#roundTripUs / 1e6 }),
      totalRoundTripTime: this.#totalRoundTripUs / 1e6,
      roundTripTimeMeasurements: this.#measurements,
    };
  }

  /** A peer that answers reports which were never sent would otherwise hold retransmissions up for hours: they wait for a round trip. */
  #measure(block: ReportBlock, arrivalUs: number): number | undefined {
    if (this.#firstSenderReportUs === undefined) return undefined;
    const measuredUs = roundTripTimeUs(arrivalUs, block);
    const longestUs = arrivalUs - this.#firstSenderReportUs + ROUNDING_US;
    return measuredUs !== undefined && measuredUs <= longestUs ? measuredUs : undefined;
  }
}
