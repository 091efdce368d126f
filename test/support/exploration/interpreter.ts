import { FramelockError, isFramelockError } from '../../../src/core/errors.js';
import { writeNack, writePli } from '../../../src/rtp/rtcp-write.js';
import { SenderHarness } from '../../sender/sender-harness.js';
import {
  type Call,
  describeOperation,
  EVENTS,
  type EventName,
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
/** The sender's default. Only the watch over a handler that does not return may outlive `close`, until this deadline. */
const HANDLER_DEADLINE_MS = 5000;

/** A sender that lives through a schedule; notes what it does and what goes wrong meanwhile. */
export class Interpreter {
  readonly harness = new SenderHarness({
    random: seededRandom(1),
    encoder: { chunkBytes: CHUNK_BYTES, releasesTwice: true },
  });
  readonly faults: string[] = [];
  readonly trace = new Trace();
  /** Whether the link was cut between two packets of a frame. */
  linkBroken = false;
  readonly #schedule: Schedule;
  readonly #inHandlers: Schedule['inHandlers'][number][];
  readonly #pending = new Set<Promise<unknown>>();
  /** By frame, the SSRC of the track that took it: an id may belong to one track after another. */
  readonly #takenBy = new Map<string, number>();
  /** SSRCs of tracks whose removal has resolved. */
  readonly #gone = new Set<number>();
  #closed = false;
  #handlerStuck = false;
  #readError: Error | undefined;
  #peerRefuses = false;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.#inHandlers = [...schedule.inHandlers];
    const { sender, network, gates } = this.harness;
    network.gate = (step) => gates.gate(step, 0);
    for (const name of EVENTS) sender.on(name, (event) => this.#handle(name, event));
    sender.on('error', ({ where, error }) => {
      this.trace.note(`error ${where}`);
      if (error !== INJECTED && !isFramelockError(error, 'HANDLER_TIMEOUT')) this.faults.push(`${where}: ${error}`);
    });
  }

  /** Performs the operations, lets everything go on, closes, and waits for what was started. */
  async run(): Promise<void> {
    for (const next of this.#schedule.operations) await this.#perform(next);
    await this.#perform({ do: 'fault', where: 'none' });
    for (const step of STEPS) this.harness.gates.open(step);
    this.#start({ do: 'close' });
    for (let round = 0; round < END_ROUNDS && this.#pending.size > 0; round += 1) {
      await this.harness.clock.advance(END_ROUND_MS);
    }
    if (this.#pending.size > 0) this.faults.push('an operation never came to its end');
    await this.harness.clock.advance(this.#handlerStuck ? HANDLER_DEADLINE_MS : 0);
    for (const { header } of this.harness.network.transports.flatMap(({ rtp }) => rtp)) {
      this.trace.note(`packet ${header.ssrc} ${header.sequenceNumber} ${header.timestamp}`);
    }
  }

  /** Does what is done at once, and starts what takes its time without waiting for it. */
  async #perform(next: Operation): Promise<void> {
    const { clock, gates, encoders } = this.harness;
    this.trace.note(`${clock.nowUs()} ${describeOperation(next)}`);
    switch (next.do) {
      case 'hold':
        gates.hold(next.step);
        break;
      case 'open':
        gates.open(next.step);
        break;
      case 'openOne':
        gates.openOne();
        break;
      case 'fault':
        this.#inject(next.where);
        break;
      case 'advance':
        await clock.advance(next.ms);
        break;
      case 'turns':
        for (let turn = 0; turn < next.microtasks; turn += 1) await Promise.resolve();
        break;
      case 'settle':
        await this.harness.settle();
        break;
      default:
        this.#start(next);
    }
    for (const encoder of encoders.encoders) encoder.readError = this.#readError;
  }

  #inject(where: string): void {
    const { encoders, network } = this.harness;
    encoders.openError = where === 'open' ? INJECTED : undefined;
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
    const running = this.#call(call).catch((error: unknown) => {
      const known = isFramelockError(error) && EXPECTED_CODES.includes(error.code);
      if (!known && error !== INJECTED) this.faults.push(`${describeOperation(call)} failed: ${String(error)}`);
      this.trace.note(`${call.do} failed: ${isFramelockError(error) ? error.code : String(error)}`);
    });
    this.#pending.add(running);
    void running.finally(() => this.#pending.delete(running));
  }

  async #call(call: Call): Promise<void> {
    const { sender } = this.harness;
    switch (call.do) {
      case 'add':
        return this.harness.addTracks(call.id);
      case 'remove':
        return this.#remove(call.id);
      case 'recreate':
        return sender.recreateEncoder(call.id);
      case 'keyFrame':
        return sender.forceKeyFrame(call.id);
      case 'send':
        return this.#send(call.id, call.offsetUs);
      case 'allocate':
        return sender.setBitrateAllocation(call.weights);
      case 'bitrate':
        return sender.updateBitrate(call.bps);
      case 'connect':
        return sender.connect(
          call.renegotiable
            ? () => this.#answer()
            : { ...this.harness.whip, offer: async () => ({ sdp: await this.#answer() }) },
        );
      case 'pli':
        return this.#feedback(writePli(1, sender.getTrackStats(call.id).ssrc));
      case 'nack':
        return this.#nack(sender.getTrackStats(call.id).ssrc);
      case 'close':
        await sender.close();
        this.#closed = true;
    }
  }

  async #remove(id: string): Promise<void> {
    const { ssrc } = this.harness.sender.getTrackStats(id);
    await this.harness.sender.removeTrack(id);
    this.#gone.add(ssrc);
  }

  /** Captured later than every frame before it by a tick of the RTP clock, also where time stands still. */
  #send(id: string, offsetUs: number): void {
    const { sender, clock, given } = this.harness;
    const timestamp = clock.nowUs() + 12 * given.length + offsetUs;
    const { ssrc } = sender.getTrackStats(id);
    this.#takenBy.set(`${id} ${timestamp}`, ssrc);
    this.harness.give(id, { timestamp });
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
    if (this.#gone.has(this.#takenBy.get(frame) ?? -1)) this.faults.push(`${name} ${frame} after removal`);
    const index = this.#inHandlers.findIndex(({ on }) => on === name);
    const [action] = index < 0 ? [] : this.#inHandlers.splice(index, 1);
    if (action === undefined) return undefined;
    this.trace.note(`in the handler: ${describeOperation(action.call)}`);
    if (action.returns === 'after its call') return this.#call(action.call).catch(() => undefined);
    this.#start(action.call);
    if (action.returns === 'at once') return undefined;
    this.#handlerStuck = true;
    return new Promise(() => undefined);
  }
}
