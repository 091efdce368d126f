import { FramelockError } from '../../core/errors.js';
import type { Refusal } from '../socket/message-socket.js';
import type { LiveKitNews } from './livekit-messages.js';
import type { LiveKitSettings } from './livekit-options.js';

type Place = Pick<LiveKitSettings, 'shownUrl'>;

/** The error for a server that cannot be reached, fell silent or does not speak as LiveKit does. */
export function liveKitFailure({ shownUrl }: Place, what: string): FramelockError {
  return new FramelockError('SIGNALLING_FAILED', `LiveKit: ${shownUrl} ${what}; is LiveKit running there?`, {
    context: { url: shownUrl },
  });
}

/** The error for a socket that is gone, or never was. @param refusal what the server answered in place of opening it */
export function socketFailure(place: Place, what: string, refusal?: Refusal): FramelockError {
  if (refusal === undefined || refusal === 'nobody listens') return liveKitFailure(place, what);
  const { shownUrl } = place;
  const { status, words } = refusal;
  const quoted = words === '' ? '' : ` ("${words}")`;
  return new FramelockError(
    'SIGNALLING_REJECTED',
    `LiveKit: ${shownUrl} refused to let us in, with status ${status}${quoted}; ${statusRemedy(status)}`,
    { context: { url: shownUrl, status } },
  );
}

/** The error for a request that was refused. */
export function refusedRequest(
  { shownUrl }: Place,
  { reason, words }: Extract<LiveKitNews, { kind: 'refused' }>,
): FramelockError {
  const quoted = words === '' ? '' : ` ("${words}")`;
  const remedy = reason === 'NOT_ALLOWED' ? 'the token does not permit to publish this' : 'see its log';
  return new FramelockError(
    'SIGNALLING_REJECTED',
    `LiveKit: ${shownUrl} refused to take the tracks, with ${reason}${quoted}; ${remedy}`,
    { context: { url: shownUrl, reason } },
  );
}

/** The error for a session that the server ended before it had answered. */
export function turnedAway({ shownUrl }: Place, reason: string): FramelockError {
  return new FramelockError('SIGNALLING_REJECTED', `LiveKit: ${shownUrl} ${describeEnd(reason)}`, {
    context: { url: shownUrl, reason },
  });
}

/** Why the server ended a session, by names of `DisconnectReason` (livekit_models.proto). */
export function describeEnd(reason: string): string {
  switch (reason) {
    case 'DUPLICATE_IDENTITY':
      return 'ended the session: somebody has joined by the same identity';
    case 'STATE_MISMATCH':
      return 'has the session no more (STATE_MISMATCH)';
    case 'SERVER_SHUTDOWN':
      return 'ended the session: it shuts down';
    case 'PARTICIPANT_REMOVED':
      return 'removed us from the room';
    case 'ROOM_DELETED':
    case 'ROOM_CLOSED':
      return 'closed the room';
    default:
      return `ended the session (${reason})`;
  }
}

function statusRemedy(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return 'check the token: its key and secret, how long it lasts, its room and grants';
    case 404:
      return 'check the URL, and whether rooms are made when somebody joins';
    case 429:
    case 503:
      return 'it is busy: try again later';
    default:
      return status >= 500 ? 'the fault is on its side: see its log' : 'check the URL';
  }
}
