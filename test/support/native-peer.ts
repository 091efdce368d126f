import wrtc from '@roamhq/wrtc';
import { AUDIO_SAMPLE_RATE } from '../../src/encoder/audio-frame.js';
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

/** What the native peer decoded of one audio track. */
export interface HeardSound {
  /** Of the newest samples. */
  channelCount: number;
  /** At 48 kHz, from -1 to 1, interleaved, with the newest second at the end. */
  readonly samples: number[];
}

/** How the native peer made up for lost packets of sound, by the names of W3C `RTCInboundRtpStreamStats`. */
export interface SoundStats {
  readonly packetsLost: number;
  /** Packets of which the FEC was looked at. */
  readonly fecPacketsReceived: number;
  /** Those among them whose FEC was not needed. */
  readonly fecPacketsDiscarded: number;
  /** Samples that were made up. */
  readonly concealedSamples: number;
  readonly totalSamplesReceived: number;
}

/** How the native peer fared with lost packets of video, by the names of W3C `RTCInboundRtpStreamStats`. */
export interface VideoStats {
  readonly framesDecoded: number;
  readonly nackCount: number;
  readonly pliCount: number;
  readonly freezeCount: number;
  /** Seconds. */
  readonly totalFreezesDuration: number;
}

/** An entry of a W3C statistics report. */
export type NativeStatsEntry = Readonly<Record<string, unknown>> & { readonly type: string };

/** What this file uses of the package, whose own types need the DOM's. */
interface TrackEvent {
  readonly track: MediaStreamTrack & { readonly kind: string };
  readonly transceiver: { readonly mid: string | null };
}
interface SinkEvent {
  readonly frame: { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray };
}
interface AudioEvent {
  readonly samples: Int16Array;
  readonly sampleRate: number;
  readonly channelCount: number;
}
type MediaStreamTrack = ConstructorParameters<typeof wrtc.nonstandard.RTCVideoSink>[0];

/** A receiver over native libwebrtc: an implementation that shares no line with ours. */
export class NativePeer {
  readonly #connection = new wrtc.RTCPeerConnection();
  readonly #sinks = new Map<string, { stop(): void }>();
  /** Decoded pictures of each m-line, by its mid. */
  readonly pictures = new Map<string, DecodedPicture[]>();
  /** Decoded sound of each m-line, by its mid. */
  readonly sounds = new Map<string, HeardSound>();

  /** @param onPicture told of each decoded picture, and by which m-line it came */
  constructor(nowUs: () => number, onPicture: (mid: string, picture: DecodedPicture) => void = () => undefined) {
    this.#connection.ontrack = ({ track, transceiver }: TrackEvent) => {
      const mid = transceiver.mid ?? '';
      if (track.kind === 'audio') this.#listen(track, mid);
      else this.#watch(track, mid, nowUs, onPicture);
    };
  }

  /** Answers an offer, with all candidates in the answer; again for a renegotiation. */
  readonly negotiate = async (offer: string): Promise<string> => {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp: offer });
    const { type, sdp = '' } = await this.#connection.createAnswer();
    // libwebrtc decodes Opus to mono unless its own side asks for stereo (RFC 7587 section 6.1).
    const answer = sdp.replaceAll('useinbandfec=1', 'useinbandfec=1;stereo=1');
    await this.#connection.setLocalDescription({ type, sdp: answer });
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

  /** How many pictures the decoders have decoded, be they shown or not: a receiver that is late leaves some out. */
  async framesDecoded(): Promise<number> {
    const all: Iterable<{ readonly type: string; readonly framesDecoded?: number }> = (
      await this.#connection.getStats()
    ).values();
    return [...all].reduce((sum, { type, framesDecoded = 0 }) => sum + (type === 'inbound-rtp' ? framesDecoded : 0), 0);
  }

  /** All entries of its statistics. */
  async stats(): Promise<readonly NativeStatsEntry[]> {
    const report: { values(): Iterable<NativeStatsEntry> } = await this.#connection.getStats();
    return [...report.values()];
  }

  /** Of the one audio track. */
  async soundStats(): Promise<SoundStats> {
    const all: Iterable<SoundStats & { readonly type: string; readonly kind?: string }> = (
      await this.#connection.getStats()
    ).values();
    const stats = [...all].find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
    if (stats === undefined) throw new Error('no sound is received');
    return stats;
  }

  /** Of the one video track. */
  async videoStats(): Promise<VideoStats> {
    const all: Iterable<Partial<VideoStats> & { readonly type: string; readonly kind?: string }> = (
      await this.#connection.getStats()
    ).values();
    const ofVideo = [...all].filter(
      ({ type, kind }) => kind === 'video' && (type === 'inbound-rtp' || type === 'track'),
    );
    // Freezes are told of the track still, in the present version of the library.
    const {
      framesDecoded = 0,
      nackCount = 0,
      pliCount = 0,
      freezeCount = 0,
      totalFreezesDuration = 0,
    } = Object.assign({}, ...ofVideo.toSorted((a, b) => b.type.localeCompare(a.type))) as Partial<VideoStats>;
    return { framesDecoded, nackCount, pliCount, freezeCount, totalFreezesDuration };
  }

  #watch(
    track: MediaStreamTrack,
    mid: string,
    nowUs: () => number,
    onPicture: (mid: string, picture: DecodedPicture) => void,
  ): void {
    const decoded: DecodedPicture[] = [];
    this.pictures.set(mid, decoded);
    const sink = new wrtc.nonstandard.RTCVideoSink(track);
    this.#replaceSink(mid, sink);
    sink.onframe = ({ frame: { width, height, data } }: SinkEvent) => {
      const code = readBarCode(new Uint8Array(data), width, height);
      const picture = { width, height, code, decodedAtUs: nowUs() };
      decoded.push(picture);
      onPicture(mid, picture);
    };
  }

  #listen(track: MediaStreamTrack, mid: string): void {
    const sound: HeardSound = { channelCount: 0, samples: [] };
    this.sounds.set(mid, sound);
    const sink = new wrtc.nonstandard.RTCAudioSink(track);
    this.#replaceSink(mid, sink);
    sink.ondata = ({ samples, sampleRate, channelCount }: AudioEvent) => {
      if (sampleRate !== AUDIO_SAMPLE_RATE) return;
      sound.channelCount = channelCount;
      for (const sample of samples) sound.samples.push(sample / 32_768);
      sound.samples.splice(0, sound.samples.length - AUDIO_SAMPLE_RATE * channelCount);
    };
  }

  /** An m-line that comes back keeps its track: with the earlier sink still on it, everything would be seen twice. */
  #replaceSink(mid: string, sink: { stop(): void }): void {
    this.#sinks.get(mid)?.stop();
    this.#sinks.set(mid, sink);
  }

  close(): void {
    for (const sink of this.#sinks.values()) sink.stop();
    this.#connection.close();
  }
}
