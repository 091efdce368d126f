import { SystemClock } from '../../core/clock.js';
import type { VideoCodec } from '../../encoder/encoder.js';
import type { RtcSender } from '../../sender/rtc-sender.js';
import type { FrameReport } from '../../sender/stats/frame-report.js';
import { type CreateSenderOptions, createSender } from '../../service/create-sender.js';
import { WhipSignaller } from '../../signalling/whip/whip-signaller.js';
import { type DrawnPictures, ReplayedCamera } from './replayed-camera.js';

/** Of a camera of 1280x720, unless something else is said. */
const BITRATE_PER_TRACK_BPS = 1_500_000;

/** The cameras of a rig. */
export interface RigInit {
  readonly whipUrl: string;
  readonly tracks: number;
  readonly framerate: number;
  readonly drawn: DrawnPictures;
  /** @default 'vp8' */
  readonly codec?: VideoCodec;
  /** Of each camera. @default 1.5 Mbit/s */
  readonly bitrateBps?: number;
}

/** A sender with cameras, connected to an SFU in another process. */
export interface CameraRig {
  readonly sender: RtcSender;
  readonly trackIds: readonly string[];
  readonly clock: SystemClock;
  /** Every frame report since the start. */
  readonly reports: readonly FrameReport[];
  /** Pictures that were due and that this process was too late to deliver. */
  readonly skipped: number;
  /** Has so many of the cameras run, and the others stand still. */
  run(cameras: number): void;
  close(): Promise<void>;
}

/** A rig whose cameras all run. @param options of the sender that differ from those of the other benchmarks */
export async function startRig(init: RigInit, options: CreateSenderOptions = {}): Promise<CameraRig> {
  const rig = await connectRig(init, options);
  rig.run(init.tracks);
  return rig;
}

/** A rig whose cameras stand still as yet. */
export async function connectRig(init: RigInit, options: CreateSenderOptions = {}): Promise<CameraRig> {
  const { whipUrl, tracks, framerate, drawn, codec = 'vp8', bitrateBps = BITRATE_PER_TRACK_BPS } = init;
  const clock = new SystemClock();
  // As in production: the lock checker is a debugging aid.
  const sender = createSender({
    clock,
    startBitrateBps: tracks * bitrateBps,
    checkLocks: false,
    // The same work in every run.
    congestionControl: 'fixed',
    ...options,
  });
  const reports: FrameReport[] = [];
  sender.on('frameSent', (report) => void reports.push(report));
  const trackIds = Array.from({ length: tracks }, (_, index) => `camera-${index + 1}`);
  const { width, height } = drawn;
  try {
    for (const id of trackIds) await sender.addVideoTrack({ id, codec, width, height, framerate });
    await sender.connect(new WhipSignaller({ url: whipUrl, clock }));
  } catch (error) {
    await sender.close();
    throw error;
  }
  const cameras = trackIds.map(
    (id) => new ReplayedCamera({ drawn, framerate, clock, deliver: (frame) => sender.sendFrame(id, frame) }),
  );
  return {
    sender,
    trackIds,
    clock,
    reports,
    get skipped() {
      return cameras.reduce((sum, camera) => sum + camera.skipped, 0);
    },
    run: (running) => {
      for (const [index, camera] of cameras.entries()) {
        if (index < running) camera.start((index * 1000) / framerate / running);
        else camera.stop();
      }
    },
    close: async () => {
      for (const camera of cameras) camera.stop();
      await sender.close();
    },
  };
}
