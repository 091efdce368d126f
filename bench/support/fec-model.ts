import { Chance } from '../../test/support/simulator/chance.js';
import { BurstyLoss, type Loss, RandomLoss } from './fec-loss.js';

/** A camera over a link that loses packets, and what is done about it. Times in milliseconds. */
export interface FecScenario {
  readonly roundTripMs: number;
  /** Share of packets that are lost, each way. */
  readonly loss: number;
  readonly bursty: boolean;
  /** XOR packets beside media packets; 0 for retransmissions alone. */
  readonly fecShare: number;
  /** Packets of as many groups take turns, so that a burst hits each of them once. */
  readonly interleaved: number;
  readonly seed: number;
  readonly durationMs: number;
}

/** How the pictures came through. */
export interface FecOutcome {
  /** Of the frames, those that could be decoded so soon after they were captured, in per cent. */
  readonly within150Pct: number;
  readonly within300Pct: number;
  /** Time without a new picture beyond 150 ms and a frame, of each minute. */
  readonly freezeSPerMinute: number;
  readonly mediaKbps: number;
  readonly sentKbps: number;
}

/** Media and FEC together: what the encoder gets is less by the FEC. */
const TARGET_BPS = 1_500_000;
const FRAME_MS = 1000 / 30;
const PACKET_BYTES = 1200;
const KEY_FRAME_FACTOR = 5;
/** Packets of a frame leave so far apart. */
const SPACING_MS = 1;
/** libwebrtc, `kMaxNackRetries` of modules/video_coding/nack_requester.cc. */
const NACK_ATTEMPTS = 10;
const FREEZE_MS = 150 + FRAME_MS;

/** A packet of media: when it left, and when the receiver has it. */
interface Packet {
  readonly frame: number;
  readonly sentMs: number;
  isLost: boolean;
  haveMs: number;
}

/**
 * A camera at a fixed rate whose frames each need the one before. A receiver asks for a gap as soon as a later packet shows it, and again each round trip, while XOR
 * packets over groups of packets may repair it meanwhile: one loss a group. What stays missing is replaced by a key frame. Nothing queues and nothing is reordered, and
 * the groups are formed across frames as the rate asks: both flatter FEC.
 */
export function runFec(scenario: FecScenario): FecOutcome {
  const { roundTripMs, fecShare, durationMs } = scenario;
  const chance = new Chance(scenario.seed);
  const lossOf = (): Loss =>
    scenario.bursty ? new BurstyLoss(scenario.loss, chance, 2 * durationMs) : new RandomLoss(scenario.loss, chance);
  const forth = lossOf();
  const back = lossOf();
  const frameBytes = TARGET_BPS / (1 + fecShare) / 8 / 30;
  const frames = Math.floor(durationMs / FRAME_MS);
  const decodedMs: number[] = [];
  let bytes = { media: 0, repairs: 0 };
  for (let from = 0; from < frames; ) {
    const packets = send(from, frames, frameBytes, forth, roundTripMs / 2);
    const fecPackets = repairByFec(packets, scenario, forth);
    const resent = repairByRequests(packets, roundTripMs, forth, back);
    const chain = decode(packets, from, frames, decodedMs);
    const used = packets.filter(({ frame }) => frame < chain.until);
    const share = used.length / packets.length;
    bytes = {
      media: bytes.media + mediaBytes(from, chain.until, frameBytes),
      repairs: bytes.repairs + (fecPackets + resent) * share * PACKET_BYTES,
    };
    // The key frame is asked for when the receiver gives up, and is the next one from there.
    from = chain.until + (chain.until < frames ? Math.ceil((NACK_ATTEMPTS * roundTripMs) / FRAME_MS) : 0);
  }
  return outcomeOf(decodedMs, frames, bytes, durationMs);
}

function mediaBytes(from: number, until: number, frameBytes: number): number {
  return (until - from + KEY_FRAME_FACTOR - 1) * frameBytes;
}

/** All packets of a chain that begins with a key frame. */
function send(from: number, until: number, frameBytes: number, forth: Loss, oneWayMs: number): Packet[] {
  const packets: Packet[] = [];
  for (let frame = from; frame < until; frame += 1) {
    const count = Math.ceil((frame === from ? KEY_FRAME_FACTOR * frameBytes : frameBytes) / PACKET_BYTES);
    for (let index = 0; index < count; index += 1) {
      const sentMs = frame * FRAME_MS + index * SPACING_MS;
      const isLost = forth.takes(sentMs);
      packets.push({ frame, sentMs, isLost, haveMs: isLost ? Number.POSITIVE_INFINITY : sentMs + oneWayMs });
    }
  }
  return packets;
}

/** Repairs what XOR packets can, and returns how many there were. */
function repairByFec(
  packets: readonly Packet[],
  { fecShare, interleaved, roundTripMs }: FecScenario,
  forth: Loss,
): number {
  if (fecShare === 0) return 0;
  const size = Math.round(1 / fecShare);
  let count = 0;
  for (let at = 0; at < packets.length; at += size * interleaved) {
    const block = packets.slice(at, at + size * interleaved);
    for (let turn = 0; turn < interleaved; turn += 1) {
      const group = block.filter((_, index) => index % interleaved === turn);
      const last = group.at(-1);
      if (last === undefined) continue;
      count += 1;
      const sentMs = last.sentMs + SPACING_MS / 2;
      const missing = group.filter(({ isLost }) => isLost);
      const [only] = missing;
      if (forth.takes(sentMs) || missing.length !== 1 || only === undefined) continue;
      only.haveMs = sentMs + roundTripMs / 2;
    }
  }
  return count;
}

/** Asks for what is missing, and returns how many packets were sent again. */
function repairByRequests(packets: readonly Packet[], roundTripMs: number, forth: Loss, back: Loss): number {
  let resent = 0;
  let shownMs = Number.POSITIVE_INFINITY;
  for (let index = packets.length - 1; index >= 0; index -= 1) {
    const packet = packets[index];
    if (packet === undefined) continue;
    if (!packet.isLost) {
      shownMs = packet.sentMs + roundTripMs / 2;
      continue;
    }
    for (let attempt = 0; attempt < NACK_ATTEMPTS; attempt += 1) {
      const askedMs = shownMs + attempt * roundTripMs;
      // Not asked for once it is there.
      if (!(askedMs < packet.haveMs)) break;
      if (back.takes(askedMs)) continue;
      resent += 1;
      if (!forth.takes(askedMs + roundTripMs / 2)) packet.haveMs = Math.min(packet.haveMs, askedMs + roundTripMs);
    }
  }
  return resent;
}

/** Notes when each frame can be decoded, until one never can. */
function decode(
  packets: readonly Packet[],
  from: number,
  frames: number,
  decodedMs: number[],
): { readonly until: number } {
  let readyMs = 0;
  let next = 0;
  for (let frame = from; frame < frames; frame += 1) {
    for (; packets[next]?.frame === frame; next += 1) readyMs = Math.max(readyMs, packets[next]?.haveMs ?? 0);
    if (readyMs === Number.POSITIVE_INFINITY) return { until: frame };
    decodedMs[frame] = readyMs;
  }
  return { until: frames };
}

function outcomeOf(
  decodedMs: readonly number[],
  frames: number,
  bytes: { readonly media: number; readonly repairs: number },
  durationMs: number,
): FecOutcome {
  const share = (limitMs: number): number => {
    const inTime = decodedMs.filter((readyMs, frame) => readyMs - frame * FRAME_MS <= limitMs).length;
    return (100 * inTime) / frames;
  };
  let frozenMs = 0;
  let shownMs: number | undefined;
  for (const readyMs of decodedMs.filter((ready) => ready !== undefined)) {
    if (shownMs !== undefined) frozenMs += Math.max(0, readyMs - shownMs - FREEZE_MS);
    shownMs = readyMs;
  }
  const kbps = (count: number): number => (count * 8) / durationMs;
  return {
    within150Pct: share(150),
    within300Pct: share(300),
    freezeSPerMinute: (frozenMs / durationMs) * 60,
    mediaKbps: kbps(bytes.media),
    sentKbps: kbps(bytes.media + bytes.repairs),
  };
}
