import { describe, expect, it } from 'vitest';
import { FramelockError } from '../../../src/core/errors.js';
import type { TransportTrackSpec } from '../../../src/transport/media-transport.js';
import { Negotiation } from '../../../src/transport/sdp/negotiation.js';
import { readSdp } from '../../../src/transport/sdp/sdp-reader.js';
import { answerOf } from '../answer-of.js';

const FRONT: TransportTrackSpec = { trackId: 'front', codec: 'vp8', ssrc: 1111 };
const REAR: TransportTrackSpec = { trackId: 'rear', codec: 'vp8', ssrc: 2222 };
const LOCAL = {
  usernameFragment: 'ours',
  password: 'password-of-22-characters',
  candidates: [],
  fingerprint: Array.from({ length: 32 }, () => 'AB').join(':'),
};

function versionOf(offer: string): number {
  return Number(/^o=- \d+ (\d+) /m.exec(offer)?.[1]);
}

describe('a negotiation', () => {
  it('counts its offers, of one session', () => {
    const negotiation = new Negotiation<undefined>();
    const offers = [[FRONT], [FRONT, REAR]].map((tracks) => negotiation.offer(tracks, LOCAL, undefined));
    expect(offers.map(versionOf)).toEqual([1, 2]);
    expect(new Set(offers.map((offer) => /^o=- (\d+) /m.exec(offer)?.[1])).size).toBe(1);
    expect(offers.every((offer) => readSdp(offer) !== undefined && offer.includes(negotiation.cname))).toBe(true);
  });

  it('takes one answer an offer, and begins with the first', () => {
    const negotiation = new Negotiation<string>();
    const begun: unknown[] = [];
    const begin = (_remote: unknown, own: string): void => void begun.push(own);
    expect(() => negotiation.accept('v=0\r\n', begin)).toThrow('no offer that awaits');
    const first = answerOf(negotiation.offer([FRONT], LOCAL, 'first'));
    expect(negotiation.accept(first, begin)).toMatchObject([{ trackId: 'front' }]);
    expect(() => negotiation.accept(first, begin)).toThrow('no offer that awaits');
    negotiation.accept(answerOf(negotiation.offer([FRONT, REAR], LOCAL, 'second')), begin);
    expect(begun).toEqual(['first']);
    expect(negotiation.agreed.map(({ trackId }) => trackId)).toEqual(['front', 'rear']);
  });

  it('goes by the last answer while an offer waits, and after one that is wrong', () => {
    const negotiation = new Negotiation<undefined>();
    negotiation.accept(answerOf(negotiation.offer([FRONT], LOCAL, undefined)), () => undefined);
    const { remote } = negotiation;
    const offer = negotiation.offer([FRONT, REAR], LOCAL, undefined);
    expect(() => negotiation.accept('garbage', () => undefined)).toThrow(FramelockError);
    expect(negotiation.agreed.map(({ trackId }) => trackId)).toEqual(['front']);
    expect(negotiation.remote).toBe(remote);
    negotiation.accept(answerOf(offer), () => undefined);
    expect(negotiation.agreed).toHaveLength(2);
  });

  it('has not begun where what is to begin fails, and may be answered again', () => {
    const negotiation = new Negotiation<undefined>();
    const answer = answerOf(negotiation.offer([FRONT], LOCAL, undefined));
    const refuse = (): void => {
      throw new FramelockError('INVALID_SDP', 'the library does not like it');
    };
    expect(() => negotiation.accept(answer, refuse)).toThrow('does not like it');
    expect(negotiation.remote).toBeUndefined();
    expect(negotiation.agreed).toEqual([]);
    const begun: unknown[] = [];
    negotiation.accept(answer, (remote) => void begun.push(remote));
    expect(begun).toEqual([negotiation.remote]);
  });
});
