import wrtc from '@roamhq/wrtc';
import { type BarCode, readBarCode } from '../../src/source/bar-code.js';

/** One picture that the native peer decoded. */
export interface DecodedPicture {
  readonly width: number;
  readonly height: number;
  /** What its bar code says; `undefined` for a black, foreign or damaged picture. */
  readonly code: BarCode | undefined;
  /** When it was decoded, microseconds on the same clock as the capture times. */
  readonly decodedAtUs: number;
}

/** What this file uses of the package, whose own types need the DOM's. */
interface TrackEvent {
  readonly track: MediaStreamTrack;
  readonly transceiver: { readonly mid: string | null };
}
interface SinkEvent {
  readonly frame: { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray };
}
type MediaStreamTrack = ConstructorParameters<typeof wrtc.nonstandard.RTCVideoSink>[0];

/** A receiver over native libwebrtc: an implementation that shares no line with ours. */
export class NativePeer {
  readonly #connection = new wrtc.RTCPeerConnection();
  readonly #sinks: InstanceType<typeof wrtc.nonstandard.RTCVideoSink>[] = [];
  /** Decoded pictures of each m-line, by its mid. */
  readonly pictures = new Map<string, DecodedPicture[]>();

  constructor(nowUs: () => number) {
    this.#connection.ontrack = ({ track, transceiver }: TrackEvent) => {
      const decoded: DecodedPicture[] = [];
      this.pictures.set(transceiver.mid ?? '', decoded);
      const sink = new wrtc.nonstandard.RTCVideoSink(track);
      this.#sinks.push(sink);
      sink.onframe = ({ frame: { width, height, data } }: SinkEvent) => {
        decoded.push({ width, height, code: readBarCode(new Uint8Array(data), width, height), decodedAtUs: nowUs() });
      };
    };
  }

  /** Answers an offer, with all candidates in the answer; again for a renegotiation. */
  readonly negotiate = async (offer: string): Promise<string> => {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp: offer });
    await this.#connection.setLocalDescription(await this.#connection.createAnswer());
    await new Promise<void>((resolve) => {
      const check = () => {
        if (this.#connection.iceGatheringState === 'complete') resolve();
      };
      this.#connection.onicegatheringstatechange = check;
      check();
    });
    return this.#connection.localDescription?.sdp ?? '';
  };

  /** The pictures of the camera whose bar codes say `cameraId`, in decoding order. */
  picturesOf(cameraId: number): readonly DecodedPicture[] {
    return [...this.pictures.values()].find((decoded) => decoded.some(({ code }) => code?.cameraId === cameraId)) ?? [];
  }

  close(): void {
    for (const sink of this.#sinks) sink.stop();
    this.#connection.close();
  }
}
