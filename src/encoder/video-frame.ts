/** Pixel formats accepted as input, by their WebCodecs names. */
export type VideoPixelFormat = 'I420' | 'NV12';

/** Position of one plane within `data`, as in the WebCodecs `PlaneLayout` dictionary. */
export interface PlaneLayout {
  /** Bytes from the start of `data` to the first row of the plane. */
  readonly offset: number;
  /** Bytes from the start of one row to the start of the next. */
  readonly stride: number;
}

/**
 * One raw picture of a camera.
 *
 * The bytes belong to the sender from `sendFrame` until `release` is called (or, without `release`, until the frame's
 * `frameSent` event): the caller must not change them in between, and above all not transfer their `ArrayBuffer` away. Native code reads them where
 * they are; if they are freed meanwhile the process crashes, unless its encoders are isolated (see docs/guarantees.md).
 */
export interface RawVideoFrame {
  readonly format: VideoPixelFormat;
  /** Width in pixels, an even number from 2 to 16384. */
  readonly codedWidth: number;
  /** Height in pixels, an even number from 2 to 16384. */
  readonly codedHeight: number;
  /** The planes: Y, U, V for I420; Y, UV for NV12. Tightly packed unless `layout` says otherwise. Not in a resizable `ArrayBuffer`. */
  readonly data: Uint8Array;
  /** One entry a plane. Default: tightly packed, in order. */
  readonly layout?: readonly PlaneLayout[];
  /** Capture time in microseconds on the time base of `Clock.nowUs`. */
  readonly timestamp: number;
  /** Called exactly once when the sender no longer needs the bytes, whether the frame was sent or dropped. */
  readonly release?: () => void;
}
