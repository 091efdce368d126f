/** How a camera is doing, as its sender sees it. */
export type CameraHealth = 'ok' | 'stalled' | 'paused' | 'failed' | 'waiting';

/** Pixels. */
export interface CameraSize {
  readonly width: number;
  readonly height: number;
}

/** One camera in a {@link SenderStatus}. */
export interface CameraStatus {
  /** The track id; the published `msid` track id is the same, which is how the page finds the picture. */
  readonly id: string;
  /** What the camera is, for people: `test pattern`, `/dev/video0`. */
  readonly source: string;
  readonly codec: string;
  /** Codecs that it can change to, the present one among them. */
  readonly codecs: readonly string[];
  /** Of the pictures that the source makes. */
  readonly size: CameraSize;
  /** Sizes that it can change to, the present one among them. */
  readonly sizes: readonly CameraSize[];
  /** As in W3C webrtc-stats: `libvpx`, `h264_vaapi`. */
  readonly encoderImplementation: string;
  /** Of the pictures that are sent, which may be scaled down; with `height`. */
  readonly width: number;
  readonly height: number;
  /** Frames per second. */
  readonly framerate: number;
  readonly targetBps: number;
  readonly actualBps: number;
  /** Relative weight, 0 or more: as last set by `PUT /api/allocation`, 1 while all shares are equal, 0 for a paused camera. */
  readonly weight: number;
  readonly paused: boolean;
  readonly health: CameraHealth;
  readonly framesEncoded: number;
  readonly framesSent: number;
  readonly framesDropped: number;
  readonly keyFrames: number;
  /** How often the encoder was replaced. */
  readonly swaps: number;
}

/** What the program that runs the loopback SFU tells its page, about once a second. */
export interface SenderStatus {
  /** State of the sender's connection, for people: `connected`, `reconnecting`. */
  readonly state: string;
  /** Total target of all cameras. */
  readonly targetBps: number;
  readonly uptimeMs: number;
  readonly tracks: readonly CameraStatus[];
}
