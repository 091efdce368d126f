import type * as Protobuf from '@livekit/protocol';
import type { IceServer } from '../../core/ice-server.js';
import type { AnnouncedTrack, LiveKitNews, LiveKitProtocol, LiveKitRequest, Quality } from './livekit-messages.js';

/** Version of the protocol that we speak: with actions in LeaveRequest (13) and with news of what was refused (15), without moves to other rooms (16). */
const PROTOCOL_VERSION = 15;
/** For a server that knows no JoinRequest: the last version in which who publishes need not wait for what it could subscribe to (protocol_version.go). */
const FALLBACK_PROTOCOL_VERSION = 2;
/** Reasons of RequestResponse that are younger than the package. */
const YOUNGER_REASONS: Readonly<Record<number, string>> = {
  4: 'QUEUED',
  5: 'UNSUPPORTED_TYPE',
  6: 'UNCLASSIFIED_ERROR',
};
const QUALITIES: readonly Quality[] = ['low', 'medium', 'high'];
/** Longest excerpt of a server's own words. */
const MAX_WORDS_CHARS = 200;
/** Beyond what any candidate has (RFC 8839 section 5.1). */
const CANDIDATE_PATTERN = /^candidate:[^\r\n]{1,500}$/;
const MAX_ICE_SERVERS = 16;

type Types = typeof Protobuf;

/** Loads the package with LiveKit's messages: a tenth of a second and some megabytes that nobody else pays for. */
export async function loadLiveKitProtocol(): Promise<LiveKitProtocol> {
  const types = await import('@livekit/protocol');
  return {
    parameters: (participantSid) => parameters(types, participantSid),
    write: (request) => new types.SignalRequest({ message: messageOf(types, request) }).toBinary(),
    read: (bytes) => {
      try {
        return newsOf(types, types.SignalResponse.fromBinary(bytes));
      } catch {
        return undefined;
      }
    },
  };
}

/**
 * One connection for everything is asked for by a JoinRequest, which servers take with `/rtc` and `/rtc/v1`: otherwise one whose token lets it subscribe would have
 * to answer an offer for that first. Older servers look at the other parameters. Who comes back says who it was (rtcservice.go, `validateInternal`).
 */
function parameters(types: Types, participantSid: string | undefined): Readonly<Record<string, string>> {
  const joinRequest = new types.JoinRequest({
    clientInfo: { sdk: types.ClientInfo_SDK.NODE, protocol: PROTOCOL_VERSION, otherSdks: 'framelock' },
    connectionSettings: { autoSubscribe: false },
    ...(participantSid === undefined
      ? {}
      : { reconnect: true, participantSid, reconnectReason: types.ReconnectReason.RR_SIGNAL_DISCONNECTED }),
  });
  const wrapped = new types.WrappedJoinRequest({ joinRequest: joinRequest.toBinary() });
  return {
    join_request: Buffer.from(wrapped.toBinary()).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
    auto_subscribe: '0',
    protocol: String(FALLBACK_PROTOCOL_VERSION),
    sdk: 'node',
    ...(participantSid === undefined ? {} : { reconnect: '1', sid: participantSid }),
  };
}

function messageOf(types: Types, request: LiveKitRequest): Protobuf.SignalRequest['message'] {
  switch (request.kind) {
    case 'announce':
      return { case: 'addTrack', value: addTrackRequest(types, request.track) };
    case 'offer':
      return {
        case: 'offer',
        value: new types.SessionDescription({ type: 'offer', sdp: request.sdp, id: request.id }),
      };
    case 'candidate': {
      const candidateInit = JSON.stringify({ candidate: request.candidate, sdpMid: request.mid });
      return {
        case: 'trickle',
        value: new types.TrickleRequest({ candidateInit, target: types.SignalTarget.PUBLISHER }),
      };
    }
    case 'ping':
      return { case: 'pingReq', value: new types.Ping({ timestamp: types.protoInt64.parse(request.wallMs) }) };
    case 'sync': {
      const publishTracks = request.tracks.map(({ cid, sid }) => ({ cid, track: { sid } }));
      return { case: 'syncState', value: new types.SyncState({ publishTracks }) };
    }
    case 'leave': {
      const { CLIENT_INITIATED: reason } = types.DisconnectReason;
      return { case: 'leave', value: new types.LeaveRequest({ reason, action: types.LeaveRequest_Action.DISCONNECT }) };
    }
  }
}

function addTrackRequest(types: Types, track: AnnouncedTrack): Protobuf.AddTrackRequest {
  const { cid, name, media, codec, width, height, stereo, dtx } = track;
  const layers = track.layers.map(({ quality, width, height }) => {
    return new types.VideoLayer({ quality: QUALITIES.indexOf(quality), width, height });
  });
  const isVideo = media === 'video';
  return new types.AddTrackRequest({
    cid,
    name,
    type: isVideo ? types.TrackType.VIDEO : types.TrackType.AUDIO,
    source: isVideo ? types.TrackSource.CAMERA : types.TrackSource.MICROPHONE,
    ...(isVideo ? { width, height, layers } : { stereo, disableDtx: !dtx, disableRed: true }),
    // VP9 and AV1 count as scalable in one stream unless it is said that each layer has its own.
    simulcastCodecs: [{ codec, cid, layers, videoLayerMode: types.VideoLayer_Mode.ONE_SPATIAL_LAYER_PER_STREAM }],
  });
}

function newsOf(types: Types, { message }: Protobuf.SignalResponse): LiveKitNews {
  switch (message.case) {
    case 'join': {
      const { iceServers, pingInterval: pingIntervalS, participant } = message.value;
      const participantSid = participant?.sid ?? '';
      return { kind: 'joined', participantSid, iceServers: iceServersOf(iceServers), pingIntervalS };
    }
    case 'reconnect':
      return { kind: 'resumed', iceServers: iceServersOf(message.value.iceServers) };
    case 'answer':
      return { kind: 'answer', id: message.value.id, sdp: message.value.sdp };
    case 'trickle':
      return message.value.target === types.SignalTarget.PUBLISHER ? candidateOf(message.value) : { kind: 'other' };
    case 'trackPublished':
      return { kind: 'published', cid: message.value.cid, sid: message.value.track?.sid ?? '' };
    case 'trackUnpublished':
      return { kind: 'unpublished', sid: message.value.trackSid };
    case 'requestResponse': {
      const { reason, message: words } = message.value;
      if (reason === types.RequestResponse_Reason.OK) return { kind: 'other' };
      return { kind: 'refused', reason: nameOf(types.RequestResponse_Reason, reason), words: plain(words) };
    }
    case 'leave':
      return { kind: 'left', reason: nameOf(types.DisconnectReason, message.value.reason) };
    case 'refreshToken':
      return { kind: 'token', token: message.value };
    case 'subscribedQualityUpdate':
      return demandOf(message.value);
    default:
      return { kind: 'other' };
  }
}

function candidateOf({ candidateInit, final }: Protobuf.TrickleRequest): LiveKitNews {
  const init: unknown = candidateInit === '' ? undefined : JSON.parse(candidateInit);
  const named: unknown = typeof init === 'object' && init !== null && 'candidate' in init ? init.candidate : undefined;
  const candidate = typeof named === 'string' && CANDIDATE_PATTERN.test(named) ? named : undefined;
  return { kind: 'candidate', candidate, isLast: final };
}

/** A track has one codec here at a time, and the server may tell of those that it had before. */
function demandOf({ trackSid, subscribedQualities, subscribedCodecs }: Protobuf.SubscribedQualityUpdate): LiveKitNews {
  const all = [...subscribedQualities, ...subscribedCodecs.flatMap(({ qualities }) => qualities)];
  const wanted = all.filter(({ enabled }) => enabled).map(({ quality }) => QUALITIES[quality]);
  return { kind: 'demand', sid: trackSid, wanted: new Set(wanted.filter((quality) => quality !== undefined)) };
}

function iceServersOf(servers: readonly Protobuf.ICEServer[]): readonly IceServer[] {
  return servers.slice(0, MAX_ICE_SERVERS).map(({ urls, username, credential }) => {
    return { urls, ...(username === '' ? {} : { username }), ...(credential === '' ? {} : { credential }) };
  });
}

function nameOf(names: object, value: number): string {
  const known: unknown = Object.entries(names).find(([, number]) => number === value)?.[0];
  return typeof known === 'string' ? known : (YOUNGER_REASONS[value] ?? `reason ${value}`);
}

/** Control characters of a stranger do not belong on a terminal. */
function plain(words: string): string {
  return words
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_WORDS_CHARS);
}
