import { type AnswererTransport, buildAnswer } from '../../src/loopback/sdp/sdp-answer.js';
import { parseOffer } from '../../src/loopback/sdp/sdp-offer.js';

const NOWHERE: AnswererTransport = {
  iceUfrag: 'peer',
  icePwd: 'passwordOfThePeer22Chars',
  fingerprint: Array.from({ length: 32 }, () => 'CD').join(':'),
  address: '127.0.0.1',
  port: 9,
};

/** An answer that takes everything that is offered. */
export function answerOf(sdp: string, transport: AnswererTransport = NOWHERE): string {
  const offer = parseOffer(sdp);
  const media = offer.media.map(({ codecs, extensions }) => ({
    direction: 'recvonly' as const,
    codecs,
    feedback: ['nack', 'nack pli', 'transport-cc'],
    extensions: [...extensions.keys()],
  }));
  return buildAnswer(offer, media, transport);
}
