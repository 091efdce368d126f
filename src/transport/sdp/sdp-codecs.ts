import { HEADER_EXTENSION_URIS } from '../../rtp/header-extensions.js';
import { RTP_CODECS, type RtpCodec } from '../../rtp/rtp-codec.js';

/** How a codec is written in SDP, and what a receiver's parameters must be to decode what we send. */
export interface SdpCodec {
  /** Payload type of our offers; the answer may name another. */
  readonly payloadType: number;
  /** That of its retransmissions; none for audio. */
  readonly rtxPayloadType?: number;
  /** Encoding name of `a=rtpmap`; compared without regard to case (RFC 8866 section 6.6). */
  readonly encodingName: string;
  /** Encoding parameters of `a=rtpmap`: the number of channels. */
  readonly encodingParameters?: string;
  /** `a=fmtp` of our offers. */
  readonly parameters?: string;
  /** Why a receiver with these parameters cannot take our stream: the name of the parameter; nothing if it can. */
  refusedParameter(parameters: ReadonlyMap<string, string>): string | undefined;
}

/** `profile_idc` of H.264 Baseline; Constrained Baseline is a subset of it (RFC 6184 section 8.1). */
const H264_BASELINE = '42';

/** RFC 7741, RFC 9628, RFC 6184, the AV1 RTP payload format 1.0 and RFC 7587. */
export const SDP_CODECS: Readonly<Record<RtpCodec, SdpCodec>> = Object.freeze({
  vp8: { payloadType: 96, rtxPayloadType: 97, encodingName: 'VP8', refusedParameter: () => undefined },
  vp9: {
    payloadType: 98,
    rtxPayloadType: 99,
    encodingName: 'VP9',
    parameters: 'profile-id=0',
    refusedParameter: (parameters) => ((parameters.get('profile-id') ?? '0') === '0' ? undefined : 'profile-id'),
  },
  h264: {
    payloadType: 102,
    rtxPayloadType: 103,
    encodingName: 'H264',
    parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
    refusedParameter: (parameters) => {
      if (parameters.get('packetization-mode') !== '1') return 'packetization-mode';
      const profile = parameters.get('profile-level-id') ?? H264_BASELINE;
      return profile.startsWith(H264_BASELINE) ? undefined : 'profile-level-id';
    },
  },
  av1: {
    payloadType: 104,
    rtxPayloadType: 105,
    encodingName: 'AV1',
    parameters: 'level-idx=5;profile=0;tier=0',
    refusedParameter: (parameters) => ((parameters.get('profile') ?? '0') === '0' ? undefined : 'profile'),
  },
  opus: {
    payloadType: 111,
    encodingName: 'opus',
    // Always 2, whatever is sent: every receiver decodes mono and stereo (RFC 7587 section 7).
    encodingParameters: '2',
    parameters: 'minptime=10;useinbandfec=1',
    refusedParameter: () => undefined,
  },
});

/** The encoding of a codec as `a=rtpmap` tells it (RFC 8866 section 6.6). */
export function encodingOf(codec: RtpCodec): string {
  const { encodingName, encodingParameters } = SDP_CODECS[codec];
  const encoding = `${encodingName}/${RTP_CODECS[codec].clockRate}`;
  return encodingParameters === undefined ? encoding : `${encoding}/${encodingParameters}`;
}

/**
 * RTCP feedback that we offer and answer to: no repetitions for audio, which a receiver conceals sooner than one could come.
 * `transport-cc` and its header extension are offered for tracks whose packets bear transport-wide sequence numbers only: a receiver that is promised
 * them and gets none reports nothing.
 */
const OFFERED_FEEDBACK = Object.freeze({
  video: ['goog-remb', 'ccm fir', 'nack', 'nack pli'],
  audio: [],
});

/** The feedback of the draft that {@link HEADER_EXTENSION_URIS} names. */
export const TRANSPORT_CC_FEEDBACK = 'transport-cc';

/** Header extensions that we can offer: the same ids on every m-line, as BUNDLE wants (RFC 9143 section 10). */
const EXTENSIONS = Object.freeze([
  { id: 1, name: 'mid', uri: HEADER_EXTENSION_URIS.mid },
  { id: 2, name: 'absSendTime', uri: HEADER_EXTENSION_URIS.absSendTime },
  { id: 3, name: 'absCaptureTime', uri: HEADER_EXTENSION_URIS.absCaptureTime },
  { id: 4, name: 'transportWideCc', uri: HEADER_EXTENSION_URIS.transportWideCc },
  { id: 5, name: 'playoutDelay', uri: HEADER_EXTENSION_URIS.playoutDelay },
  { id: 6, name: 'rid', uri: HEADER_EXTENSION_URIS.rid },
  { id: 7, name: 'repairedRid', uri: HEADER_EXTENSION_URIS.repairedRid },
] as const);

/** The feedback that is offered for a codec of an m-line. */
export function offeredFeedback(codec: RtpCodec, transportWideCc: boolean): readonly string[] {
  const feedback: readonly string[] = OFFERED_FEEDBACK[RTP_CODECS[codec].kind];
  return transportWideCc ? [...feedback, TRANSPORT_CC_FEEDBACK] : feedback;
}

/** The header extensions that are offered for an m-line. */
export function offeredExtensions(line: {
  readonly transportWideCc: boolean;
  readonly playoutDelay: boolean;
  readonly rids: readonly string[];
}): (typeof EXTENSIONS)[number][] {
  const hasRids = line.rids.length > 0;
  const { transportWideCc, playoutDelay } = line;
  const conditions: Partial<Record<string, boolean>> = {
    transportWideCc,
    playoutDelay,
    rid: hasRids,
    repairedRid: hasRids,
  };
  return EXTENSIONS.filter(({ name }) => conditions[name] ?? true);
}

/** The parameters of an `a=fmtp` line. Names in lower case. */
export function readFormatParameters(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const part of text.split(';')) {
    const [name = '', value = ''] = part.trim().split('=', 2);
    parameters.set(name.toLowerCase(), value.toLowerCase());
  }
  return parameters;
}
