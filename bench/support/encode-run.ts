import type { FrameInput, VideoCodec, VideoEncoder, VideoEncoderConfig } from '../../src/encoder/encoder.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { type DegradationPreference, ResolutionGovernor } from '../../src/sender/encoding/resolution-governor.js';
import { lumaPsnrDb, VideoDecoder } from '../../test/support/video-decoder.js';
import type { Footage } from './footage.js';

/** Of every run; capture times are made up, so that the figures do not depend on the machine. */
export const FRAMERATE = 30;

/** A track's governor is asked twice a second. */
const GOVERN_EVERY_FRAMES = FRAMERATE / 2;

/** What became of one frame. */
export interface FrameOutcome {
  /** 0 if it was skipped. */
  readonly sizeBytes: number;
  readonly type: 'key' | 'delta' | 'skipped';
  /** Whether a key frame was asked for; a stream's first frame is one anyway. */
  readonly keyFrameAsked: boolean;
  /** The target in force. */
  readonly targetBps: number;
  /** Of what a viewer sees at this time: of a skipped frame, the picture before it. Absent unless asked for. */
  readonly psnrDb?: number;
}

/** What is encoded, and how. */
export interface EncodeRun {
  readonly codec: VideoCodec;
  readonly footage: Footage;
  readonly frames: number;
  /** In bits per second, by frame number. */
  targetBpsAt(index: number): number;
  readonly keyFramesAt?: readonly number[];
  /** Whether every chunk is decoded again and compared with its picture. */
  readonly measurePsnr?: boolean;
  /** Scales the picture down as a track with this preference does. @default it keeps its size */
  readonly degradation?: DegradationPreference;
}

/** Opens an encoder; `VideoEncoderFactory.open`. */
export type OpenEncoder = (config: VideoEncoderConfig, input: FrameInput) => Promise<VideoEncoder>;

/** Encodes footage at made-up capture times. */
export async function encodeRun(run: EncodeRun, open: OpenEncoder): Promise<readonly FrameOutcome[]> {
  const { codec, footage, frames, keyFramesAt = [], measurePsnr = false, degradation = 'maintain-resolution' } = run;
  const { width, height } = footage;
  let next: RawVideoFrame | undefined;
  const input: FrameInput = {
    take: () => {
      const frame = next;
      next = undefined;
      return frame;
    },
  };
  const config: VideoEncoderConfig = { codec, width, height, framerate: FRAMERATE, bitrateBps: run.targetBpsAt(0) };
  let encoder = await open(config, input);
  let scale = 1;
  const governor = new ResolutionGovernor(degradation, width * height);
  using decoder = measurePsnr ? await VideoDecoder.open(codec) : undefined;
  try {
    const outcomes: FrameOutcome[] = [];
    let shown: Awaited<ReturnType<VideoDecoder['decode']>> | undefined;
    for (let index = 0; index < frames; index += 1) {
      const picture = footage.pictureAt(index);
      const targetBps = run.targetBpsAt(index);
      const nowUs = Math.round((index * 1e6) / FRAMERATE);
      const isOther =
        index % GOVERN_EVERY_FRAMES === 0 && scale !== governedScale(governor, outcomes, encoder, nowUs, targetBps);
      if (isOther) {
        scale = governor.scale;
        await encoder.close();
        encoder = await open({ ...config, bitrateBps: targetBps, scaleResolutionDownBy: scale }, input);
      }
      const keyFrameAsked = index === 0 || isOther || keyFramesAt.includes(index);
      encoder.setBitrate(targetBps);
      if (keyFrameAsked) encoder.forceKeyFrame();
      const timestamp = nowUs;
      next = { format: 'I420', codedWidth: width, codedHeight: height, data: picture, timestamp };
      const result = await encoder.read();
      let [sizeBytes, type]: [number, FrameOutcome['type']] = [0, 'skipped'];
      if (result.kind === 'chunk') {
        const { chunk } = result;
        if (decoder !== undefined) shown = await decoder.decode(chunk.data);
        [sizeBytes, type] = [chunk.data.byteLength, chunk.type];
        chunk.release();
      }
      const psnr = shown === undefined ? {} : { psnrDb: lumaPsnrDb(shown, picture) };
      outcomes.push({ sizeBytes, type, keyFrameAsked, targetBps, ...psnr });
    }
    return outcomes;
  } finally {
    await encoder.close();
  }
}

function governedScale(
  governor: ResolutionGovernor,
  outcomes: readonly FrameOutcome[],
  encoder: VideoEncoder,
  nowUs: number,
  targetBps: number,
): number {
  const framesSkipped = outcomes.filter(({ type }) => type === 'skipped').length;
  const framesEncoded = outcomes.length - framesSkipped;
  return governor.update({
    nowUs,
    framesEncoded,
    framesSkipped,
    targetBps,
    headroomUs: encoder.limitation?.headroomUs,
  });
}
