import { describe, expect, it } from 'vitest';
import { startsKeyFrame } from '../../src/loopback/media/key-frame-start.js';
import type { ReceivedRtp } from '../../src/loopback/media/media-link.js';
import type { ForwardedTrack } from '../../src/loopback/room/forwarded-track.js';
import { LayerChoice } from '../../src/loopback/room/layer-choice.js';
import { layerFor } from '../../src/loopback/room/published-place.js';
import { PublisherTrack } from '../../src/loopback/room/publisher-track.js';
import type { OfferedCodec } from '../../src/loopback/sdp/sdp-offer.js';
import { parseOffer } from '../../src/loopback/sdp/sdp-offer.js';
import { createPacketizer } from '../../src/rtp/create-packetizer.js';
import { fixedRandom } from '../support/fixed-random.js';
import { VirtualClock } from '../support/virtual-clock.js';

const VP8: OfferedCodec = { payloadType: 96, name: 'VP8', clockRate: 90_000, fmtp: '', feedback: [] };
const KEY = Buffer.of(0x10, 0x00);
const DELTA = Buffer.of(0x10, 0x01);

function packet(payload: Buffer, sequenceNumber = 1): ReceivedRtp {
  return { ssrc: 1, payloadType: 96, sequenceNumber, timestamp: 0, marker: true, extensions: [], payload };
}

function layer(rid: string | undefined): ForwardedTrack & { asked: number } {
  return {
    rid,
    codecs: [VP8],
    asked: 0,
    cached: () => undefined,
    requestKeyFrame() {
      this.asked += 1;
    },
  };
}

describe('the first packet of a key frame', () => {
  const annexB = (...units: number[][]) => Uint8Array.from(units.flatMap((unit) => [0, 0, 0, 1, ...unit]));
  it.each([
    ['vp8', Uint8Array.of(0x00, 1, 2, 3), Uint8Array.of(0x01, 1, 2, 3)],
    [
      'h264',
      annexB([0x67, 1, 2, 3], [0x68, 1], [0x65, ...Array(2000).fill(7)]),
      annexB([0x41, ...Array(2000).fill(7)]),
    ],
    ['av1', Uint8Array.of(0x12, 0, 0x0a, 1, 0, 0x32, 2, 1, 2), Uint8Array.of(0x12, 0, 0x32, 2, 1, 2)],
  ] as const)('of %s is told from every other one', (codec, keyFrame, deltaFrame) => {
    const cut = (frame: Uint8Array, key: boolean) =>
      createPacketizer(codec, fixedRandom(0x1234)).packetize(frame, { key }, 1000);
    const starts = (payloads: readonly Uint8Array[]) =>
      payloads.map((payload) => startsKeyFrame(codec.toUpperCase(), payload));
    const [first, ...rest] = starts(cut(keyFrame, true));
    expect(first).toBe(true);
    expect(rest.every((start) => !start)).toBe(true);
    expect(starts(cut(deltaFrame, false)).every((start) => !start)).toBe(true);
  });

  it('of VP9 begins a picture that is predicted from none', () => {
    expect([0x88, 0xc8, 0x80, 0x84].map((first) => startsKeyFrame('VP9', Uint8Array.of(first, 0x80, 1)))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it('is found behind any descriptor of VP8, and in no other codec', () => {
    const long = Uint8Array.of(0x90, 0xf0, 0x81, 0x02, 0x05, 0x60, 0x00);
    expect(startsKeyFrame('VP8', long)).toBe(true);
    expect(startsKeyFrame('VP8', long.with(6, 1))).toBe(false);
    expect(startsKeyFrame('VP8', Uint8Array.of(0x90))).toBe(false);
    expect(startsKeyFrame('H265', KEY)).toBe(false);
  });
});

describe('the choice of an encoding', () => {
  it('begins with a key frame, and changes at one, for which it asks', () => {
    const [full, half] = [layer('f'), layer('h')];
    const choice = new LayerChoice();
    expect(choice.takes(full, packet(DELTA), full)).toBe(false);
    expect(full.asked).toBe(1);
    expect(choice.takes(full, packet(KEY), full)).toBe(true);
    expect(choice.takes(half, packet(KEY), full)).toBe(false);
    expect(choice.takes(half, packet(DELTA), half)).toBe(false);
    expect(half.asked).toBe(1);
    expect(choice.takes(full, packet(DELTA), half)).toBe(true);
    expect(choice.takes(half, packet(KEY), half)).toBe(true);
    expect(choice.takes(full, packet(KEY), half)).toBe(false);
    expect(choice.current).toBe(half);
  });

  it('goes on without a key frame where the same stream comes by another session, and takes what is late by the former one', () => {
    const [former, next] = [
      { ...layer('f'), ssrc: 7 },
      { ...layer('f'), ssrc: 7 },
    ];
    const choice = new LayerChoice();
    expect(choice.takes(former, packet(KEY), former)).toBe(true);
    expect(choice.takes(former, packet(DELTA), next)).toBe(true);
    expect(choice.takes(next, packet(DELTA), next)).toBe(true);
    expect(choice.current).toBe(next);
    expect(choice.takes(former, packet(DELTA), next)).toBe(true);
    expect(choice.takes({ ...former, ended: true }, packet(DELTA), next)).toBe(false);
    expect(choice.takes({ ...former, ssrc: 8 }, packet(DELTA), next)).toBe(false);
  });

  it('leaves a track that is one stream as it is', () => {
    const [one, other] = [layer(undefined), layer(undefined)];
    const choice = new LayerChoice();
    expect(choice.takes(one, packet(DELTA), one)).toBe(true);
    expect(choice.takes(other, packet(DELTA), other)).toBe(true);
    expect([one.asked, other.asked]).toEqual([0, 0]);
  });
});

describe('the encodings at a place', () => {
  it('stand in for one another while they are not sent: the next smaller one first', async () => {
    const clock = new VirtualClock();
    const layers = ['f', 'h', 'q'].map(
      (rid) =>
        new PublisherTrack({ id: 'front', mid: '0', rid, codecs: [VP8], ssrc: undefined }, clock, 1, () => undefined),
    );
    const [full, half, quarter] = layers;
    if (full === undefined || half === undefined || quarter === undefined) throw new Error('there are three');
    const place = { id: 'front', mid: '0', layers: [full, half, quarter] } as const;
    expect(layerFor(place, 'h')).toBe(half);
    expect(layerFor(place, undefined)).toBe(full);
    expect(layerFor(place, 'x')).toBe(full);
    quarter.receive(packet(KEY));
    expect(layerFor(place, 'f')).toBe(quarter);
    half.receive(packet(KEY));
    expect(layerFor(place, 'f')).toBe(half);
    await clock.advance(499);
    quarter.receive(packet(DELTA, 2));
    await clock.advance(1);
    expect(layerFor(place, 'h')).toBe(quarter);
    expect(layerFor(place, 'q')).toBe(quarter);
  });
});

describe('an offer of a simulcast track', () => {
  const offer = (...attributes: readonly string[]) =>
    parseOffer(
      [
        'v=0',
        's=-',
        'm=video 9 UDP/TLS/RTP/SAVPF 96',
        'a=mid:0',
        'a=ice-ufrag:abcd',
        'a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa',
        `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
        'a=setup:actpass',
        'a=rtpmap:96 VP8/90000',
        ...attributes,
      ].join('\r\n'),
    ).media[0]?.rids;

  it('names its encodings, of alternatives the first, and none that it does not declare', () => {
    expect(offer('a=rid:f send', 'a=rid:h send pt=96', 'a=simulcast:send f;~h')).toEqual(['f', 'h']);
    expect(offer('a=rid:f send', 'a=rid:h send', 'a=simulcast:recv x send f,h')).toEqual(['f']);
    expect(offer('a=rid:f send', 'a=simulcast:send f;h;f')).toEqual(['f']);
    expect(offer('a=rid:f recv', 'a=simulcast:recv f')).toEqual([]);
    expect(offer()).toEqual([]);
  });
});
