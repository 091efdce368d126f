import { FramelockError } from '../../core/errors.js';
import type { JanusError } from './janus-message.js';
import type { JanusPlace } from './janus-options.js';

/** The error for a server that cannot be reached, fell silent or does not speak as Janus does. */
export function janusFailure(place: JanusPlace, what: string): FramelockError {
  return new FramelockError('SIGNALLING_FAILED', `Janus: ${place.shownUrl} ${what}; is Janus running there?`, {
    context: { url: place.shownUrl },
  });
}

/** The error for a request that was refused: the code, Janus' own words, and what to do about it. */
export function janusRejection(place: JanusPlace, request: string, error: JanusError): FramelockError {
  const { code, words, by } = error;
  const quoted = words === '' ? '' : ` ("${words}")`;
  const remedy = by === 'janus' ? coreRemedy(code) : roomRemedy(code, place);
  return new FramelockError(
    'SIGNALLING_REJECTED',
    `Janus: ${place.shownUrl} refused to ${request}, with ${by === 'janus' ? 'code' : 'VideoRoom code'} ${code}${quoted}; ${remedy}`,
    { context: { url: place.shownUrl, room: place.room, janusCode: code, janusReason: words, refusedBy: by } },
  );
}

/** Codes of apierror.h. */
function coreRemedy(code: number): string {
  switch (code) {
    case 403:
    case 470:
      return 'check the token and the API secret';
    case 405:
      return 'this token may not use the VideoRoom';
    case 458:
    case 459:
      return 'the session has ended at the server: connect again';
    case 460:
      return 'its VideoRoom plugin is not loaded';
    case 464:
    case 465:
      return 'it does not accept this SDP offer';
    case 472:
      return 'it is draining: try again later';
    default:
      return 'see its log';
  }
}

/** `JANUS_VIDEOROOM_ERROR_*` of janus_videoroom.c. */
function roomRemedy(code: number, { room }: JanusPlace): string {
  switch (code) {
    case 426:
      return `there is no room ${room}: check it, or create it`;
    case 429:
      return 'the room wants a pin';
    case 430:
      return 'room and publisher id must be numbers, or strings where Janus is configured with string_ids';
    case 431:
    case 437:
      return 'it does not accept this SDP offer';
    case 432:
      return 'the room has all the publishers that it allows';
    case 433:
      return 'check the pin and the token';
    case 436:
      return 'someone publishes by this id; a lost session of our own ends within a minute';
    default:
      return 'see its log';
  }
}
