import { SystemClock } from '../../src/core/clock.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import type { FrameReport } from '../../src/sender/stats/frame-report.js';
import { type CreateSenderOptions, createSender } from '../../src/service/create-sender.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { HEIGHT, ReplayedCamera, WIDTH } from './replayed-camera.js';
import { startSfuProcess } from './sfu-process.js';

const BITRATE_PER_TRACK_BPS = 1_500_000;

/** A sender with running VP8 cameras, connected to an SFU in another process. */
export interface CameraRig {
  readonly sender: RtcSender;
  readonly trackIds: readonly string[];
  readonly clock: SystemClock;
  /** Every frame report since the start. */
  readonly reports: readonly FrameReport[];
  close(): Promise<void>;
}

/** @param options of the sender that differ from those of the other benchmarks */
export async function startRig(
  tracks: number,
  framerate: number,
  pictures: readonly Uint8Array[],
  options: CreateSenderOptions = {},
): Promise<CameraRig> {
  const clock = new SystemClock();
  const sfu = await startSfuProcess();
  // As in production: the lock checker is a debugging aid.
  const sender = createSender({
    clock,
    startBitrateBps: tracks * BITRATE_PER_TRACK_BPS,
    checkLocks: false,
    // The same work in every run.
    congestionControl: 'fixed',
    ...options,
  });
  const reports: FrameReport[] = [];
  sender.on('frameSent', (report) => void reports.push(report));
  const trackIds = Array.from({ length: tracks }, (_, index) => `camera-${index + 1}`);
  for (const id of trackIds) await sender.addVideoTrack({ id, width: WIDTH, height: HEIGHT, framerate });
  await sender.connect(new WhipSignaller({ url: sfu.whipUrl, clock }));
  const cameras = trackIds.map(
    (id) => new ReplayedCamera({ pictures, framerate, clock, deliver: (frame) => sender.sendFrame(id, frame) }),
  );
  for (const [index, camera] of cameras.entries()) camera.start((index * 1000) / framerate / tracks);
  return {
    sender,
    trackIds,
    clock,
    reports,
    close: async () => {
      for (const camera of cameras) camera.stop();
      await sender.close();
      await sfu.close();
    },
  };
}
