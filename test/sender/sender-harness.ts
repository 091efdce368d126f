import assert from 'node:assert/strict';
import { isFramelockError } from '../../src/core/errors.js';
import { AUDIO_SAMPLE_RATE, type RawAudioData } from '../../src/encoder/audio-frame.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { RtcSender } from '../../src/sender/rtc-sender.js';
import type { RtcSenderOptions } from '../../src/sender/sender-options.js';
import type { FrameReport } from '../../src/sender/stats/frame-report.js';
import type { TrackRef } from '../../src/sender/tracks/track-handle.js';
import type { Signaller } from '../../src/signalling/signaller.js';
import { type ConnectStep, FakeNetwork } from '../support/fake-transport.js';
import { PoisoningAudioEncoderFactory } from '../support/poisoning-audio-encoder.js';
import { type GateStep, PoisoningEncoderFactory, type PoisoningEncoderOptions } from '../support/poisoning-encoder.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

export const WIDTH = 64;
export const HEIGHT = 48;

/** A promise that a test settles. */
export interface Gate {
  readonly promise: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** Code of the error with which something failed; nothing if it did not fail. */
export async function codeOf(outcome: Promise<unknown>): Promise<string | undefined> {
  try {
    await outcome;
    return undefined;
  } catch (error) {
    return isFramelockError(error) ? error.code : `uncoded: ${String(error)}`;
  }
}

/** Steps that can be held up. */
type Step = GateStep | ConnectStep;

/** Holds up steps of the encoders, of all or of one generation, or of a connect, until a test lets them go on. */
export class EncoderGates {
  readonly #held = new Set<string>();
  readonly #waiting: { readonly key: string; readonly open: () => void }[] = [];

  /** Steps that wait now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  hold(step: Step, generation?: number): void {
    this.#held.add(keyOf(step, generation));
  }

  /** Lets what waits, and what comes, go on. */
  open(step: Step, generation?: number): void {
    const key = keyOf(step, generation);
    this.#held.delete(key);
    const matching = this.#waiting.filter((waiter) => waiter.key === key);
    for (const waiter of matching) this.#letGo(waiter);
  }

  /** Lets go of one that waits, by default of the one that has waited longest, and of no other. */
  openOne(index = 0): void {
    const waiter = this.#waiting[index];
    if (waiter !== undefined) this.#letGo(waiter);
  }

  readonly gate = async (step: Step, generation: number): Promise<void> => {
    const key = [keyOf(step, generation), keyOf(step)].find((held) => this.#held.has(held));
    if (key === undefined) return;
    await new Promise<void>((open) => this.#waiting.push({ key, open }));
  };

  #letGo(waiter: { readonly key: string; readonly open: () => void }): void {
    this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
    waiter.open();
  }
}

function keyOf(step: Step, generation?: number): string {
  return generation === undefined ? step : `${step} ${generation}`;
}

/** A sender over the fake network and the poisoning encoder, in virtual time. */
export class SenderHarness {
  readonly clock = new VirtualClock();
  readonly network = new FakeNetwork();
  readonly gates = new EncoderGates();
  readonly encoders: PoisoningEncoderFactory;
  readonly audioGates = new EncoderGates();
  readonly audioEncoders = new PoisoningAudioEncoderFactory(this.audioGates.gate);
  readonly sender: RtcSender;
  readonly reports: FrameReport[] = [];
  /** Frames that were given to the sender and accepted, with the number of times that each was released. */
  readonly given: { readonly trackId: string; readonly timestamp: number; releases: number }[] = [];
  signallerCloses = 0;

  constructor(options: Partial<RtcSenderOptions> & { readonly encoder?: PoisoningEncoderOptions } = {}) {
    const { encoder, ...senderOptions } = options;
    this.encoders = new PoisoningEncoderFactory({ gate: this.gates.gate, ...encoder });
    this.sender = new RtcSender({
      encoders: this.encoders,
      audioEncoders: this.audioEncoders,
      transport: this.network.factory,
      clock: this.clock,
      checkLocks: true,
      congestionControl: 'fixed',
      ...senderOptions,
    });
    this.sender.on('frameSent', (report) => void this.reports.push(report));
  }

  /** A signaller like WHIP's: it cannot renegotiate. */
  readonly whip: Signaller = {
    description: 'fake WHIP',
    canRenegotiate: false,
    offer: async () => ({ sdp: 'answer' }),
    close: async () => {
      this.signallerCloses += 1;
      return { confirmed: true };
    },
  };

  /** Fragments that restarts brought to {@link whipThatRestarts}. */
  readonly fragments: string[] = [];
  /** A signaller like that of a WHIP server that takes ICE restarts. */
  readonly whipThatRestarts: Signaller = {
    ...this.whip,
    canRestartIce: true,
    restartIce: async (fragment) => {
      this.fragments.push(fragment);
      return `answer to ${fragment}`;
    },
  };

  /** Own signalling, which can renegotiate. */
  readonly negotiate = async (): Promise<string> => 'answer';

  async addTracks(...ids: string[]): Promise<void> {
    for (const id of ids) await this.sender.addVideoTrack({ id, width: WIDTH, height: HEIGHT });
  }

  /** Adds tracks and connects. */
  async connected(...ids: string[]): Promise<this> {
    await this.addTracks(...ids);
    await this.sender.connect(this.negotiate);
    return this;
  }

  frame(overrides: Partial<RawVideoFrame> = {}): RawVideoFrame {
    return {
      format: 'I420',
      codedWidth: WIDTH,
      codedHeight: HEIGHT,
      data: new Uint8Array((WIDTH * HEIGHT * 3) / 2),
      timestamp: this.clock.nowUs(),
      ...overrides,
    };
  }

  /** Silence of so many samples a channel, captured now. */
  sound(numberOfFrames = 960, overrides: Partial<RawAudioData> = {}): RawAudioData {
    const { numberOfChannels = 1 } = overrides;
    return {
      format: 's16',
      sampleRate: AUDIO_SAMPLE_RATE,
      numberOfChannels,
      numberOfFrames,
      data: new Uint8Array(numberOfFrames * numberOfChannels * 2),
      timestamp: this.clock.nowUs(),
      ...overrides,
    };
  }

  /** Gives a frame captured now to the sender and keeps account of it. Returns its capture time. */
  give(track: TrackRef, overrides: Partial<RawVideoFrame> = {}): number {
    const frame = this.frame(overrides);
    const entry = { trackId: typeof track === 'string' ? track : track.id, timestamp: frame.timestamp, releases: 0 };
    this.sender.sendFrame(track, {
      ...frame,
      release: () => {
        entry.releases += 1;
      },
    });
    this.given.push(entry);
    return frame.timestamp;
  }

  /** Sends a frame captured now, lets everything settle, and moves on by one frame interval. Returns its capture time. */
  async send(id: string, intervalMs = 33): Promise<number> {
    const timestamp = this.give(id);
    await this.clock.advance(intervalMs);
    return timestamp;
  }

  /** Every frame that was given is reported once and released once, and nothing else is reported. */
  expectBalance(): void {
    const key = ({ trackId, timestamp }: { trackId: string; timestamp: number }) => `${trackId} ${timestamp}`;
    assert.deepEqual(this.reports.map(key).sort(), this.given.map(key).sort());
    assert.deepEqual(
      this.given.filter(({ releases }) => releases !== 1),
      [],
    );
  }

  reportsOf(id: string): FrameReport[] {
    return this.reports.filter(({ trackId }) => trackId === id);
  }

  /** The packets of one track, by its SSRC. */
  packetsOf(id: string) {
    const { ssrc } = this.sender.getTrackStats(id);
    return this.network.transports.flatMap(({ rtp }) => rtp.filter(({ header }) => header.ssrc === ssrc));
  }

  settle(): Promise<void> {
    return settle();
  }
}
