import { FramelockError, isFramelockError } from '../../../src/core/errors.js';
import { writeNack, writePli } from '../../../src/rtp/rtcp-write.js';
import type { CloseReport } from '../../../src/sender/operations/close-report.js';
import type { TrackHandle } from '../../../src/sender/tracks/track-handle.js';
import type { Signaller } from '../../../src/signalling/signaller.js';
import { HEIGHT, SenderHarness, WIDTH } from '../../sender/sender-harness.js';
import { FeedbackPeer } from '../feedback-peer.js';
import {
  type Call,
  describeOperation,
  EVENTS,
  type EventName,
  type Id,
  type Operation,
  type Schedule,
  STEPS,
} from './schedule.js';
import { seededRandom } from './seeded-random.js';
import { Trace } from './trace.js';

/** How calls may fail: the codes of the contract, and what the schedule itself lets fail. */
const EXPECTED_CODES = [
  'TRACK_EXISTS',
  'TRACK_NOT_FOUND',
  'TRACK_REMOVED',
  'ALLOCATION_SUM_ZERO',
  'CLOSED',
  'ENCODER_BUSY',
  // A recreate of the track that encodes for itself, weights and key frames for the microphone.
  'WRONG_TRACK_KIND',
  'NOT_ALLOCATABLE',
  'KEY_FRAME_UNSUPPORTED',
  'CONNECT_TIMEOUT',
  // A connect with no track to offer.
  'INVALID_ARGUMENT',
];
const INJECTED = new FramelockError('SIGNALLING_REJECTED', 'injected');

/** Three packets a frame, so that a link can break within one. */
const CHUNK_BYTES = 3000;
/** Virtual time after the last operation in which everything must come to its end. */
const END_ROUNDS = 100;
const END_ROUND_MS = 200;
/** Enough for the events of any schedule. */
const DELIVERY_ROUNDS = 100;
const SOUND_US = 20_000;
/** A frame then takes the pacer 60 ms: with a few of them frames are skipped, and what waits is there to be taken back. */
const CONTROLLED_START_BPS = 300_000;

/** A sender that lives through a schedule; notes what it does and what goes wrong meanwhile. */
export class Interpreter {
  readonly harness: SenderHarness;
  /** Tells the sender what arrives, if that wants to know. */
  readonly peer: FeedbackPeer | undefined;
  readonly faults: string[] = [];
  /** What had been sent of each track when its removal resolved, by SSRC. */
  readonly packetsAtRemoval = new Map<number, number>();
  readonly trace = new Trace();
  /** Whether the link was cut between two packets of a frame. */
  linkBroken = false;
  /** Chunks that the pre-encoded track took, by name. */
  readonly chunks: string[] = [];
  /** Frames of sound that the microphone took. */
  sounds = 0;
  readonly #schedule: Schedule;
  readonly #inHandlers: Schedule['inHandlers'][number][];
  readonly #pending = new Set<Promise<unknown>>();
  /** By frame, the SSRC of the track that took it: an id may belong to one track after another. */
  readonly #takenBy = new Map<string, number>();
  /** SSRCs of tracks whose removal has resolved. */
  readonly #gone = new Set<number>();
  /** Ids whose track was removed and for which no other has been asked since. */
  readonly #absent = new Set<string>();
  readonly #handles = new Map<Id, TrackHandle>();
  /** How often a track was asked for, by id. */
  readonly #adds = new Map<Id, number>();
  #closed = false;
  /** The event whose handler runs; one at a time. Its track, if it is about one. */
  #handling: { readonly trackId: string | undefined } | undefined;
  #readError: Error | undefined;
  #peerRefuses = false;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    const encoder = { chunkBytes: CHUNK_BYTES, releasesTwice: true };
    this.harness = new SenderHarness({
      random: seededRandom(1),
      encoder,
      ...(schedule.controlled ? { congestionControl: 'goog-cc', startBitrateBps: CONTROLLED_START_BPS } : {}),
    });
    this.peer = schedule.controlled
      ? new FeedbackPeer(this.harness.clock, this.harness.network, { capacityBps: 1_000_000, delayMs: 20 })
      : undefined;
    this.#inHandlers = [...schedule.inHandlers];
    const { sender, network, gates } = this.harness;
    network.gate = (step) => gates.gate(step, 0);
    for (const name of EVENTS) sender.on(name, (event) => this.#handle(name, event));
    sender.on('error', ({ where, error }) => {
      this.trace.note(`error ${where}`);
      const passed = isFramelockError(error, 'HANDLER_TIMEOUT') && !schedule.calm;
      if (error !== INJECTED && !passed) this.faults.push(`${where}: ${error}`);
    });
  }

  /** How many packets have been sent of a stream. */
  packetsOf(ssrc: number): number {
    return this.harness.network.transports.reduce(
      (sum, { rtp }) => sum + rtp.filter(({ header }) => header.ssrc === ssrc).length,
      0,
    );
  }

  /** Performs the operations, lets everything go on, closes, and waits for what was started. */
  async run(): Promise<void> {
    for (const next of this.#schedule.operations) await this.#perform(next);
    await this.#perform({ do: 'fault', where: 'none' });
    for (const step of STEPS) this.#open(step);
    await this.#deliverEvents();
    this.#start({ do: 'close' });
    await this.#deliverEvents();
    for (let round = 0; round < END_ROUNDS && this.#pending.size > 0; round += 1) {
      await this.#advance(END_ROUND_MS);
    }
    if (this.#pending.size > 0) this.faults.push('an operation never came to its end');
    await this.harness.settle();
    for (const { header } of this.harness.network.transports.flatMap(({ rtp }) => rtp)) {
      this.trace.note(`packet ${header.ssrc} ${header.sequenceNumber} ${header.timestamp}`);
    }
  }

  /** Does what is done at once, and starts what takes its time without waiting for it. */
  async #perform(next: Operation): Promise<void> {
    const { clock, gates, audioGates, encoders, audioEncoders } = this.harness;
    this.trace.note(`${clock.nowUs()} ${describeOperation(next)}`);
    switch (next.do) {
      case 'hold':
        gates.hold(next.step);
        audioGates.hold(next.step);
        break;
      case 'open':
        this.#open(next.step);
        break;
      case 'openOne':
        (gates.waiting > 0 ? gates : audioGates).openOne();
        break;
      case 'fault':
        this.#inject(next.where);
        break;
      case 'advance':
        await this.#advance(next.ms);
        break;
      case 'turns':
        for (let turn = 0; turn < next.microtasks; turn += 1) await Promise.resolve();
        break;
      case 'settle':
        await this.harness.settle();
        break;
      case 'report':
        this.peer?.report();
        break;
      case 'capacity':
        if (this.peer !== undefined) this.peer.link = { ...this.peer.link, capacityBps: next.bps };
        break;
      default:
        this.#start(next);
    }
    for (const encoder of [...encoders.encoders, ...audioEncoders.encoders]) encoder.readError = this.#readError;
  }

  /** Delivers what can be delivered while time stands still, and what that leads to: each event takes a turn of the event loop. */
  async #deliverEvents(): Promise<void> {
    let quietRounds = 0;
    for (let round = 0; round < DELIVERY_ROUNDS && quietRounds < 3; round += 1) {
      quietRounds = this.harness.sender.getStats().events.queued === 0 ? quietRounds + 1 : 0;
      await this.harness.settle();
    }
  }

  /** In a calm schedule time waits for events; otherwise it may run away from them. */
  async #advance(ms: number): Promise<void> {
    const { clock } = this.harness;
    if (!this.#schedule.calm) return clock.advance(ms);
    await this.#deliverEvents();
    await clock.advance(ms, () => this.#deliverEvents());
  }

  #inject(where: string): void {
    const { encoders, audioEncoders, network } = this.harness;
    encoders.openError = where === 'open' ? INJECTED : undefined;
    audioEncoders.openError = encoders.openError;
    this.#readError = where === 'read' ? INJECTED : undefined;
    this.#peerRefuses = where === 'peer';
    const transport = network.transports.at(-1);
    if (transport === undefined) return;
    if (where === 'link') transport.become('disconnected');
    if (where === 'heal' && transport.state === 'disconnected') transport.become('connected');
    if (where === 'break') this.#breakAfterOnePacket(transport);
  }

  #breakAfterOnePacket(transport: SenderHarness['network']['last']): void {
    let packetsLeft = 1;
    transport.beforeRtp = () => {
      packetsLeft -= 1;
      if (packetsLeft >= 0) return;
      transport.beforeRtp = undefined;
      this.linkBroken = true;
      transport.become('disconnected');
    };
  }

  #start(call: Call): void {
    const running = this.#callFromOutside(call).catch((error: unknown) => {
      const known = isFramelockError(error) && EXPECTED_CODES.includes(error.code);
      if (!known && error !== INJECTED) this.faults.push(`${describeOperation(call)} failed: ${String(error)}`);
      this.trace.note(`${call.do} failed: ${isFramelockError(error) ? error.code : String(error)}`);
    });
    this.#pending.add(running);
    void running.finally(() => this.#pending.delete(running));
  }

  /** What a call from outside may rely on when it resolves, beyond what one from a handler may. */
  async #callFromOutside(call: Call): Promise<void> {
    await this.#call(call);
    if (!this.#schedule.calm || this.#handling === undefined) return;
    const { trackId } = this.#handling;
    if (call.do === 'close' || (call.do === 'remove' && call.id === trackId)) {
      this.faults.push(`${describeOperation(call)} resolved while a handler was running`);
    }
  }

  async #call(call: Call): Promise<void> {
    const { sender } = this.harness;
    switch (call.do) {
      case 'add':
        return this.#add(call.id);
      case 'remove':
        return this.#remove(call.id, this.#ref(call));
      case 'recreate':
        return sender.recreateEncoder(this.#ref(call));
      case 'resize':
        return sender.reconfigureTrack(this.#ref(call), sizeOf(call));
      case 'keyFrame':
        return sender.forceKeyFrame(call.id);
      case 'send':
        return this.#send(call);
      case 'allocate':
        return sender.setBitrateAllocation(call.weights);
      case 'bitrate':
        return sender.updateBitrate(call.bps);
      case 'connect':
        return sender.connect(call.renegotiable ? () => this.#answer() : this.#whip());
      case 'pli':
        return this.#feedback(writePli(1, sender.getTrackStats(call.id).ssrc));
      case 'nack':
        return this.#nack(sender.getTrackStats(call.id).ssrc);
      case 'close':
        this.#judge(await sender.close());
        this.#closed = true;
    }
  }

  #judge({ steps }: CloseReport): void {
    const unclean = steps.filter(({ outcome }) => outcome !== 'completed' && outcome !== 'deferred');
    if (this.#schedule.calm) this.faults.push(...unclean.map(({ name, outcome }) => `close: ${name} ${outcome}`));
  }

  /** Lets go on what a schedule has held up. */
  #open(step: (typeof STEPS)[number]): void {
    this.harness.gates.open(step);
    this.harness.audioGates.open(step);
  }

  #ref({ id, byHandle }: { readonly id: Id; readonly byHandle: boolean }): string | TrackHandle {
    return (byHandle ? this.#handles.get(id) : undefined) ?? id;
  }

  async #add(id: Id): Promise<void> {
    const { sender } = this.harness;
    this.#absent.delete(id);
    this.#adds.set(id, (this.#adds.get(id) ?? 0) + 1);
    const adding =
      id === 'mic'
        ? sender.addAudioTrack({ id, numberOfChannels: 1 })
        : id === 'thermal'
          ? sender.addEncodedVideoTrack({ id, codec: 'vp8' })
          : sender.addVideoTrack({ id, width: WIDTH, height: HEIGHT });
    this.#handles.set(id, await adding);
  }

  async #remove(id: Id, ref: string | TrackHandle): Promise<void> {
    const { sender } = this.harness;
    const { ssrc } = sender.getTrackStats(ref);
    const adds = this.#adds.get(id);
    await sender.removeTrack(ref);
    this.#gone.add(ssrc);
    this.packetsAtRemoval.set(ssrc, this.packetsOf(ssrc));
    if (this.#adds.get(id) === adds) this.#absent.add(id);
  }

  /** Captured later than every frame before it by a tick of the RTP clock, also where time stands still. */
  #send(call: Extract<Call, { do: 'send' }>): void {
    const { sender, clock, given } = this.harness;
    const { id, offsetUs } = call;
    const ref = this.#ref(call);
    const { ssrc, generation, frameWidth = WIDTH, frameHeight = HEIGHT } = sender.getTrackStats(ref);
    if (id === 'mic') {
      sender.sendAudio(ref, this.harness.sound(960, { timestamp: clock.nowUs() + SOUND_US * this.sounds + offsetUs }));
      this.sounds += 1;
      return;
    }
    const timestamp = clock.nowUs() + 12 * (given.length + this.chunks.length) + offsetUs;
    const name = `${id} ${timestamp}`;
    this.#takenBy.set(name, ssrc);
    if (id === 'thermal') {
      sender.sendEncodedFrame(ref, { data: new Uint8Array(CHUNK_BYTES).fill(1), type: 'key', timestamp });
      this.chunks.push(name);
    } else {
      this.harness.give(ref, { timestamp, codedWidth: frameWidth, codedHeight: frameHeight });
    }
    const current = sender.getTrackStats(id).generation;
    if (typeof ref !== 'string' && (current !== ref.generation || current !== generation)) {
      this.faults.push(`${describeOperation(call)} went to generation ${current}`);
    }
  }

  /** Its sessions cannot grow, and can stand side by side. */
  #whip(): Signaller {
    return { ...this.harness.whip, offer: async () => ({ sdp: await this.#answer() }), beside: () => this.#whip() };
  }

  async #answer(): Promise<string> {
    if (this.#peerRefuses) throw INJECTED;
    return 'answer';
  }

  /** Asks for the last packet of a track again. */
  #nack(ssrc: number): void {
    const sent = this.harness.network.transports.at(-1)?.rtp.filter(({ header }) => header.ssrc === ssrc);
    this.#feedback(writeNack(1, ssrc, [sent?.at(-1)?.header.sequenceNumber ?? 1]));
  }

  #feedback(compound: Uint8Array): void {
    this.harness.network.transports.at(-1)?.observer.rtcp(compound);
  }

  /** Handlers may do anything, and the events behind them wait. */
  #handle(name: EventName, event: object): Promise<void> | undefined {
    const frame = 'timestamp' in event && 'trackId' in event ? `${event.trackId} ${event.timestamp}` : '';
    this.trace.note(`${this.harness.clock.nowUs()} event ${name} ${frame}`);
    if (this.#closed) this.faults.push(`${name} ${frame} after close`);
    const trackId = 'trackId' in event ? String(event.trackId) : undefined;
    const removed = this.#gone.has(this.#takenBy.get(frame) ?? -1) || this.#absent.has(trackId ?? '');
    if (removed) this.faults.push(`${name} ${frame} of ${trackId} after removal`);
    const index = this.#inHandlers.findIndex(({ on }) => on === name);
    const [action] = index < 0 ? [] : this.#inHandlers.splice(index, 1);
    if (action === undefined) return undefined;
    this.trace.note(`in the handler: ${describeOperation(action.call)}`);
    if (action.returns === 'after its call') return this.#callWithin({ trackId }, action.call);
    this.#start(action.call);
    return action.returns === 'at once' ? undefined : new Promise(() => undefined);
  }

  async #callWithin(handler: { readonly trackId: string | undefined }, call: Call): Promise<void> {
    this.#handling = handler;
    await this.#call(call).catch(() => undefined);
    if (this.#handling === handler) this.#handling = undefined;
  }
}

function sizeOf({ half }: { readonly half: boolean }) {
  return half ? { width: WIDTH / 2, height: HEIGHT / 2 } : { width: WIDTH, height: HEIGHT };
}
