import type { Benchmark } from '../src/bench/benchmark.js';
import { percentile } from '../src/bench/support/percentile.js';
import { SystemClock } from '../src/core/clock.js';
import { TRANSPORT_NAMES, type TransportName, transportFactory } from '../src/service/transport-choice.js';
import type { MediaTransport } from '../src/transport/media-transport.js';
import { startSinkProcess } from './support/sink-process.js';

/** A full packet: 1200 bytes with header and extensions. */
const PAYLOAD_BYTES = 1172;
const SSRC = 1;
/** Packets that are sent in one turn of the event loop: about a large frame. */
const BURST = 40;
const BURSTS_PER_ROUND = 250;
const WARM_UP_ROUNDS = 3;
const ROUNDS_QUICK = 15;
const ROUNDS = 61;
const CONNECT_TIMEOUT_MS = 10_000;

/** What one round took. */
interface Round {
  readonly cpuUs: number;
  readonly wallUs: number;
  readonly accepted: number;
}

const clock = new SystemClock();

/** The transports beside one another: what a packet costs between the call and the operating system. */
export const transport: Benchmark = {
  name: 'transport',
  summary: 'packets of 1200 bytes through each transport, in turn: packets a second and processor time for each',
  async run({ quick, progress }) {
    const sink = startSinkProcess();
    const transports = new Map<TransportName, MediaTransport>();
    try {
      for (const name of TRANSPORT_NAMES) transports.set(name, await connect(name, (offer) => sink.answer(offer)));
      const rounds = quick ? ROUNDS_QUICK : ROUNDS;
      const taken = new Map<TransportName, Round[]>(TRANSPORT_NAMES.map((name) => [name, []]));
      for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
        progress(`round ${round + 1}/${rounds}`);
        for (const [name, connected] of transports) {
          const figures = await sendRound(connected, round + WARM_UP_ROUNDS);
          if (round >= 0) taken.get(name)?.push(figures);
        }
      }
      return figuresOf(taken);
    } finally {
      for (const connected of transports.values()) await connected.close();
      await sink.close();
    }
  },
};

async function connect(name: TransportName, answer: (offer: string) => Promise<string>): Promise<MediaTransport> {
  const made = transportFactory(name, { clock })({ stateChanged: () => undefined, rtcp: () => undefined });
  await made.acceptAnswer(await answer(await made.createOffer([{ trackId: 'front', codec: 'vp8', ssrc: SSRC }])));
  await made.connected(CONNECT_TIMEOUT_MS);
  return made;
}

async function sendRound(connected: MediaTransport, round: number): Promise<Round> {
  const payload = Buffer.alloc(PAYLOAD_BYTES, 7);
  const extensions = [
    { id: 1, data: Buffer.from('0') },
    { id: 2, data: Buffer.alloc(3) },
    { id: 4, data: Buffer.alloc(2) },
  ];
  let accepted = 0;
  let sequenceNumber = (round * BURST * BURSTS_PER_ROUND) & 0xffff;
  const cpuBefore = process.cpuUsage();
  const startUs = clock.nowUs();
  for (let burst = 0; burst < BURSTS_PER_ROUND; burst += 1) {
    for (let packet = 0; packet < BURST; packet += 1) {
      const header = { payloadType: 96, sequenceNumber, timestamp: burst, ssrc: SSRC, marker: false, extensions };
      if (connected.sendRtp(header, payload)) accepted += 1;
      sequenceNumber = (sequenceNumber + 1) & 0xffff;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { cpuUs: user + system, wallUs: clock.nowUs() - startUs, accepted };
}

function figuresOf(taken: ReadonlyMap<TransportName, readonly Round[]>): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const [name, rounds] of taken) {
    const prefix = name.replace('-', '_');
    const accepted = rounds.reduce((sum, round) => sum + round.accepted, 0);
    figures[`${prefix}_cpu_us_per_packet`] = percentile(
      rounds.map((round) => round.cpuUs / round.accepted),
      50,
    );
    figures[`${prefix}_packets_per_s`] = percentile(
      rounds.map((round) => (round.accepted * 1_000_000) / round.wallUs),
      50,
    );
    figures[`${prefix}_refused_pct`] = 100 - (100 * accepted) / (rounds.length * BURST * BURSTS_PER_ROUND);
  }
  const ratio = (metric: string): number =>
    (figures[`node_datachannel_${metric}`] ?? 0) / (figures[`werift_${metric}`] ?? 1);
  return { ...figures, cpu_ratio: ratio('cpu_us_per_packet'), packets_per_s_ratio: ratio('packets_per_s') };
}
