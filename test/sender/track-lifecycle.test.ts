import { afterEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import type { Signaller } from '../../src/signalling/signaller.js';
import { settle } from '../support/virtual-clock.js';
import { codeOf, HEIGHT, SenderHarness, WIDTH } from './sender-harness.js';

let harness: SenderHarness;

afterEach(async () => {
  await harness.sender.close();
  harness.expectBalance();
  expect(harness.encoders.violations).toEqual([]);
  expect(harness.encoders.alive).toBe(0);
  expect(harness.clock.pendingTimers).toBe(0);
});

function trackIds(): string[] {
  return harness.sender.getStats().tracks.map(({ trackId }) => trackId);
}

const refused = new FramelockError('SIGNALLING_REJECTED', 'no more than one camera');

describe('adding a track', () => {
  it('takes its id at once: a second one of the same id is refused while the encoder of the first opens', async () => {
    harness = new SenderHarness();
    harness.gates.hold('open');
    const first = harness.addTracks('front');
    expect(await codeOf(harness.addTracks('front'))).toBe('TRACK_EXISTS');
    expect(await codeOf(harness.sender.addEncodedVideoTrack({ id: 'front', codec: 'vp8' }))).toBe('TRACK_EXISTS');
    harness.gates.open('open');
    await first;
    expect(await codeOf(harness.addTracks('front'))).toBe('TRACK_EXISTS');
    expect(trackIds()).toEqual(['front']);
    expect(harness.encoders.opened).toBe(1);
  });

  it('that fails to open its encoder leaves no trace, and the id is free again', async () => {
    harness = new SenderHarness();
    harness.encoders.openError = new FramelockError('ENCODER_OPEN_FAILED', 'out of sessions');
    expect(await codeOf(harness.addTracks('front'))).toBe('ENCODER_OPEN_FAILED');
    expect(harness.clock.pendingTimers).toBe(0);
    expect(trackIds()).toEqual([]);
    harness.encoders.openError = undefined;
    await harness.addTracks('front');
  });

  it.each([
    ['an id with a space', { id: 'front left', width: WIDTH, height: HEIGHT }, 'INVALID_ARGUMENT'],
    ['no id', { id: '', width: WIDTH, height: HEIGHT }, 'INVALID_ARGUMENT'],
    ['an odd width', { id: 'front', width: 63, height: HEIGHT }, 'INVALID_ARGUMENT'],
    ['an endless frame rate', { id: 'front', width: WIDTH, height: HEIGHT, framerate: Infinity }, 'INVALID_ARGUMENT'],
    [
      'a codec that cannot be packetized',
      { id: 'front', codec: 'theora' as VideoCodec, width: WIDTH, height: HEIGHT },
      'CODEC_UNSUPPORTED',
    ],
  ] as const)('with %s is refused before an encoder is opened', async (_name, spec, code) => {
    harness = new SenderHarness();
    expect(await codeOf(harness.sender.addVideoTrack(spec))).toBe(code);
    expect(harness.encoders.opened).toBe(0);
    await harness.addTracks('front');
  });

  it('starts no timer when the sender is closed between its registration and the end of the call', async () => {
    harness = new SenderHarness();
    harness.gates.hold('open');
    const adding = codeOf(harness.addTracks('front'));
    await settle();
    harness.gates.open('open');
    for (let turn = 0; turn < 1000 && trackIds().length === 0; turn += 1) await Promise.resolve();
    expect(trackIds()).toEqual(['front']);
    await harness.sender.close();
    await adding;
    expect(harness.clock.pendingTimers).toBe(0);
  });

  it('opens encoders outside every lock: other tracks come, run and go meanwhile', async () => {
    harness = await new SenderHarness().connected('rear');
    harness.gates.hold('open', 2);
    const slow = harness.addTracks('front');
    await harness.settle();
    await harness.sender.addEncodedVideoTrack({ id: 'thermal', codec: 'vp8' });
    await harness.send('rear');
    await harness.sender.removeTrack('thermal');
    expect(harness.reportsOf('rear')).toMatchObject([{ outcome: 'sent' }]);
    harness.gates.open('open', 2);
    await slow;
    await harness.send('front');
    expect(harness.reportsOf('front')).toMatchObject([{ outcome: 'sent', type: 'key' }]);
  });

  it('makes it usable at once: frames sent in the same turn are encoded', async () => {
    harness = await new SenderHarness().connected('spare');
    const added = harness.addTracks('front').then(() => harness.give('front'));
    await added;
    await harness.settle();
    expect(harness.reports).toMatchObject([{ outcome: 'sent' }]);
  });

  it('works on a live connection over own signalling: the others keep their transport', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.addTracks('rear');
    await harness.send('front');
    await harness.send('rear');
    expect(harness.network.transports).toHaveLength(1);
    expect(harness.network.last.offers.map((lines) => lines.map(({ trackId }) => trackId))).toEqual([
      ['front'],
      ['front', 'rear'],
    ]);
    expect(harness.reports.map(({ outcome }) => outcome)).toEqual(['sent', 'sent']);
    expect(harness.packetsOf('rear')[0]?.header.payloadType).toBe(97);
  });

  it('works over a session that cannot grow: a new one takes its place, the old one is closed first', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    await harness.sender.connect(harness.whip);
    await harness.send('front');
    await harness.addTracks('rear');
    expect(harness.network.transports.map(({ closes }) => closes)).toEqual([1, 0]);
    expect(harness.signallerCloses).toBe(1);
    await harness.send('front');
    await harness.send('rear');
    expect(harness.reportsOf('front').map((report) => report.outcome === 'sent' && report.type)).toEqual([
      'key',
      'key',
    ]);
    expect(harness.sender.state).toBe('connected');
  });

  it('of several at once over such a session makes one new session, not one each', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    await harness.sender.connect(harness.whip);
    await Promise.all(['rear', 'left', 'right'].map((id) => harness.addTracks(id)));
    expect(harness.network.transports.length).toBeLessThanOrEqual(3);
    expect(harness.network.last.offers.at(-1)).toHaveLength(4);
  });

  it('that the peer refuses is rolled back: the connection and the other tracks go on as before', async () => {
    harness = new SenderHarness();
    await harness.sender.addVideoTrack({ id: 'front', width: WIDTH, height: HEIGHT });
    let refuse = false;
    await harness.sender.connect(async () => {
      if (refuse) throw refused;
      return 'answer';
    });
    refuse = true;
    expect(await codeOf(harness.addTracks('rear'))).toBe('SIGNALLING_REJECTED');
    expect(trackIds()).toEqual(['front']);
    expect(harness.sender.getTrackStats('front').targetBitrate).toBe(1_000_000);
    expect(harness.encoders.alive).toBe(1);
    await harness.send('front');
    expect(harness.reports).toMatchObject([{ outcome: 'sent' }]);
    refuse = false;
    await harness.addTracks('rear');
    await harness.send('rear');
    expect(harness.reportsOf('rear')).toMatchObject([{ outcome: 'sent' }]);
  });

  it('that the peer refuses over a session that cannot grow gives the other tracks their session back', async () => {
    harness = new SenderHarness();
    const picky: Signaller = {
      ...harness.whip,
      offer: async (sdp) => {
        if (sdp.includes('rear')) throw refused;
        return { sdp: 'answer' };
      },
    };
    await harness.addTracks('front');
    await harness.sender.connect(picky);
    expect(await codeOf(harness.addTracks('rear'))).toBe('SIGNALLING_REJECTED');
    expect(trackIds()).toEqual(['front']);
    expect(harness.sender.state).toBe('connected');
    await harness.send('front');
    expect(harness.reports).toMatchObject([{ outcome: 'sent', type: 'key' }]);
    expect(harness.network.transports.map(({ closes }) => closes)).toEqual([1, 1, 0]);
  });

  it('while the connection has failed needs no peer: the next connect offers it', async () => {
    harness = await new SenderHarness().connected('front');
    harness.network.last.become('failed', 'peer gone');
    await harness.addTracks('rear');
    expect(harness.network.transports).toHaveLength(1);
    expect(harness.sender.state).toBe('failed');
    await harness.sender.connect(harness.negotiate);
    await harness.send('rear');
    expect(harness.reportsOf('rear')).toMatchObject([{ outcome: 'sent' }]);
  });

  it('that the peer takes no media of is not sent, and says so', async () => {
    harness = await new SenderHarness().connected('front');
    harness.network.unwanted.add('rear');
    await harness.addTracks('rear');
    await harness.send('rear');
    expect(harness.reports).toMatchObject([{ outcome: 'dropped', reason: 'not-connected' }]);
    expect(harness.sender.getTrackStats('rear').health).toBe('waiting');
  });
});

describe('a track that the peer does not want any more', () => {
  it('is not sent from the next negotiation on', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.send('front');
    harness.network.unwanted.add('front');
    await harness.addTracks('rear');
    await harness.send('front');
    await harness.send('rear');
    expect(harness.reports.map((report) => (report.outcome === 'sent' ? 'sent' : report.reason))).toEqual([
      ...['sent', 'not-connected', 'sent'],
    ]);
  });
});

describe('removing a track', () => {
  it('makes its m-line inactive; the others keep theirs, also through later additions', async () => {
    harness = await new SenderHarness().connected('front', 'rear', 'left');
    await harness.sender.removeTrack('front');
    await harness.addTracks('right');
    const lines = harness.network.last.offers.at(-1)?.map(({ trackId, inactive = false }) => ({ trackId, inactive }));
    expect(lines).toEqual([
      { trackId: 'front', inactive: true },
      { trackId: 'rear', inactive: false },
      { trackId: 'left', inactive: false },
      { trackId: 'right', inactive: false },
    ]);
    for (const id of ['rear', 'left', 'right']) await harness.send(id);
    const sent = ['rear', 'left', 'right'].map((id) => harness.packetsOf(id).map(({ header }) => header.payloadType));
    expect(sent).toEqual([[97], [98], [99]]);
  });

  it('frees its id for another track, which gets the m-line and an SSRC of its own', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    const before = harness.sender.getTrackStats('front').ssrc;
    await harness.sender.removeTrack('front');
    await harness.addTracks('front');
    expect(harness.sender.getTrackStats('front').ssrc).not.toBe(before);
    expect(harness.network.last.offers.at(-1)?.map(({ trackId }) => trackId)).toEqual(['front', 'rear']);
    await harness.send('front');
    await harness.send('rear');
    expect(harness.reports).toMatchObject([{ outcome: 'sent', type: 'key' }, { outcome: 'sent' }]);
    const payloadTypes = ['front', 'rear'].map((id) => harness.packetsOf(id)[0]?.header.payloadType);
    expect(payloadTypes).toEqual([96, 97]);
  });

  it('says goodbye for its stream alone', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    const { ssrc } = harness.sender.getTrackStats('front');
    await harness.sender.removeTrack('front');
    const goodbyes = harness.network.last.rtcp.filter((compound) => compound.includes(203));
    expect(goodbyes).toHaveLength(1);
    expect(Buffer.from(goodbyes[0]?.subarray(-4) ?? []).readUInt32BE()).toBe(ssrc);
  });

  it('succeeds when the peer cannot be told', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    let refuse = false;
    await harness.sender.connect(async () => {
      if (refuse) throw new Error('the web socket is closed');
      return 'answer';
    });
    refuse = true;
    await harness.sender.removeTrack('front');
    expect(trackIds()).toEqual(['rear']);
    expect(harness.sender.state).toBe('connected');
  });

  it('twice at once is one removal, and afterwards the track is unknown', async () => {
    harness = await new SenderHarness().connected('front');
    await Promise.all([harness.sender.removeTrack('front'), harness.sender.removeTrack('front')]);
    expect(await codeOf(harness.sender.removeTrack('front'))).toBe('TRACK_NOT_FOUND');
    expect(harness.encoders).toMatchObject({ opened: 1, closed: 1 });
  });

  it('reports the frame that waited as stopped, and sends the one that was being encoded', async () => {
    harness = await new SenderHarness().connected('front');
    harness.gates.hold('read');
    const encoding = harness.give('front');
    await harness.clock.advance(10);
    const waiting = harness.give('front');
    const removal = harness.sender.removeTrack('front');
    await harness.settle();
    harness.gates.open('read');
    await removal;
    expect(harness.reports).toMatchObject([
      { outcome: 'dropped', reason: 'stopped', timestamp: waiting },
      { outcome: 'sent', timestamp: encoding },
    ]);
  });

  it('of a track that is being added waits for its peer no longer than the addition, and both come to an end', async () => {
    harness = await new SenderHarness().connected('front');
    const addition = harness.addTracks('rear');
    await harness.settle();
    await harness.sender.removeTrack('rear');
    await addition;
    expect(trackIds()).toEqual(['front']);
  });
});
