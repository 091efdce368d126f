import { describe, expect, it } from 'vitest';
import { answerFragment, SentOffers } from '../../src/signalling/socket/sent-offers.js';

const OFFER = [
  'v=0',
  'o=- 77 1 IN IP4 127.0.0.1',
  's=-',
  'm=video 5000 UDP/TLS/RTP/SAVPF 96',
  'c=IN IP4 192.0.2.1',
  'a=candidate:1 1 udp 5 192.0.2.1 5000 typ host',
  'a=end-of-candidates',
  'a=ice-ufrag:old',
  'a=ice-pwd:older',
  'a=fingerprint:sha-256 AB',
  'a=mid:0',
  'a=sendonly',
  'm=audio 0 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP6 2001:db8::1',
  'a=ice-ufrag:old',
  'a=mid:1',
  '',
].join('\r\n');
const FRAGMENT = [
  'a=group:BUNDLE 0',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=mid:0',
  'a=ice-ufrag:new',
  'a=ice-pwd:newer',
  'a=candidate:2 1 udp 5 192.0.2.2 5002 typ host',
  'a=end-of-candidates',
  '',
].join('\r\n');
const NEW_LINES = [
  'a=ice-ufrag:new',
  'a=ice-pwd:newer',
  'a=candidate:2 1 udp 5 192.0.2.2 5002 typ host',
  'a=end-of-candidates',
];

function versionOf(sdp: string): string | undefined {
  return /^o=- 77 (\d+) /m.exec(sdp)?.[1];
}

describe('SentOffers', () => {
  it('passes an offer on as it is', () => {
    expect(new SentOffers().next(OFFER)).toBe(OFFER);
  });

  it('restarts by the last offer with other parameters and candidates in each m-line, and no address of before', () => {
    const offers = new SentOffers();
    offers.next(OFFER);
    expect(offers.restarted(FRAGMENT).split('\r\n')).toEqual([
      'v=0',
      'o=- 77 2 IN IP4 127.0.0.1',
      's=-',
      'm=video 9 UDP/TLS/RTP/SAVPF 96',
      'c=IN IP4 0.0.0.0',
      'a=fingerprint:sha-256 AB',
      'a=mid:0',
      ...NEW_LINES,
      'a=sendonly',
      'm=audio 0 UDP/TLS/RTP/SAVPF 111',
      'c=IN IP4 0.0.0.0',
      'a=mid:1',
      ...NEW_LINES,
      '',
    ]);
  });

  it('gives every offer a version of its own, whatever restarts came between', () => {
    const offers = new SentOffers();
    const sent = [
      offers.next(OFFER),
      offers.restarted(FRAGMENT),
      offers.restarted(FRAGMENT.replace('new', 'newest')),
      offers.next(OFFER.replace('77 1', '77 2')),
      offers.restarted(FRAGMENT),
    ];
    expect(sent.map(versionOf)).toEqual(['1', '2', '3', '4', '5']);
  });
});

describe('answerFragment', () => {
  it('says once what the m-lines of an answer say of ICE, and nothing else', () => {
    const media = ['a=ice-ufrag:u', 'a=ice-pwd:p', 'a=candidate:1 1 udp 5 192.0.2.9 7882 typ host', 'a=mid:0'];
    const sdp = ['v=0', 'a=ice-lite', 'm=video 9 RTP 96', ...media, 'm=video 9 RTP 96', ...media].join('\r\n');
    expect(answerFragment(sdp)).toBe(`${['a=ice-lite', ...media.slice(0, 3)].join('\r\n')}\r\n`);
  });
});
