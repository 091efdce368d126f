import { sequenceDistance } from '../../core/sequence.js';
import { compactNtp } from '../../rtp/media-time.js';
import type { ReportBlock, SenderReport } from '../../rtp/rtcp-packet.js';

const VIDEO_CLOCK_HZ = 90_000;

/** What a receiver knows of one stream, for its reports (RFC 3550 sections 6.4.1, A.3 and A.8). */
export class ReceptionStatistics {
  #baseExtended: number | undefined;
  #highestExtended = 0;
  #received = 0;
  #bytes = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #jitterTicks = 0;
  #transitTicks: number | undefined;
  #lastSenderReport = 0;
  #lastSenderReportUs = 0;

  get packetsReceived(): number {
    return this.#received;
  }

  get bytesReceived(): number {
    return this.#bytes;
  }

  /** Of the newest packet; nothing before the first one. */
  get highestSequence(): number | undefined {
    return this.#baseExtended === undefined ? undefined : this.#highestExtended & 0xffff;
  }

  /** Packets that are missing; negative when there were duplicates. */
  get packetsLost(): number {
    return this.#expected() - this.#received;
  }

  /** Takes a packet in. Returns how far the highest sequence number moved: 1 normally, more after a gap, 0 for an old packet. */
  packet(sequenceNumber: number, timestamp: number, sizeBytes: number, nowUs: number): number {
    this.#received += 1;
    this.#bytes += sizeBytes;
    this.#updateJitter(timestamp, nowUs);
    if (this.#baseExtended === undefined) {
      this.#baseExtended = sequenceNumber;
      this.#highestExtended = sequenceNumber;
      return 1;
    }
    const step = sequenceDistance(this.#highestExtended & 0xffff, sequenceNumber);
    if (step <= 0) return 0;
    this.#highestExtended += step;
    return step;
  }

  senderReport(report: SenderReport, nowUs: number): void {
    this.#lastSenderReport = compactNtp(report.ntp);
    this.#lastSenderReportUs = nowUs;
  }

  /** The report block for the time since the last one; nothing before the first packet. */
  report(ssrc: number, nowUs: number): ReportBlock | undefined {
    if (this.#baseExtended === undefined) return undefined;
    const expected = this.#expected();
    const expectedInterval = expected - this.#expectedBefore;
    const lostInterval = expectedInterval - (this.#received - this.#receivedBefore);
    this.#expectedBefore = expected;
    this.#receivedBefore = this.#received;
    const fraction = expectedInterval <= 0 || lostInterval <= 0 ? 0 : (lostInterval * 256) / expectedInterval;
    const sinceReport = this.#lastSenderReport === 0 ? 0 : nowUs - this.#lastSenderReportUs;
    return {
      ssrc,
      fractionLost: Math.min(255, Math.floor(fraction)),
      cumulativeLost: this.packetsLost,
      highestSequence: this.#highestExtended >>> 0,
      jitter: Math.round(this.#jitterTicks),
      lastSenderReport: this.#lastSenderReport,
      delaySinceLastSenderReport: Math.round((sinceReport * 65_536) / 1_000_000) >>> 0,
    };
  }

  #expected(): number {
    return this.#baseExtended === undefined ? 0 : this.#highestExtended - this.#baseExtended + 1;
  }

  #updateJitter(timestamp: number, nowUs: number): void {
    const transit = (((nowUs * VIDEO_CLOCK_HZ) / 1_000_000 - timestamp) % 2 ** 32) | 0;
    if (this.#transitTicks !== undefined) {
      const difference = Math.abs((transit - this.#transitTicks) | 0);
      this.#jitterTicks += (difference - this.#jitterTicks) / 16;
    }
    this.#transitTicks = transit;
  }
}
