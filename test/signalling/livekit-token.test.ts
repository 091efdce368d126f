import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type LiveKitTokenOptions, liveKitToken } from '../../src/signalling/livekit/livekit-token.js';
import { VirtualClock } from '../support/virtual-clock.js';

const OPTIONS: LiveKitTokenOptions = {
  apiKey: 'devkey',
  apiSecret: 'secret',
  room: 'yard',
  identity: 'robot-7',
  clock: new VirtualClock(),
};
const NOW_S = Math.floor(new VirtualClock().wallUs() / 1_000_000);

function read(token: string): readonly unknown[] {
  const [header = '', claims = ''] = token.split('.');
  return [header, claims].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
}

describe('a token for LiveKit', () => {
  it('lets one publish, for six hours, and not subscribe', () => {
    expect(read(liveKitToken(OPTIONS))).toEqual([
      { alg: 'HS256', typ: 'JWT' },
      {
        iss: 'devkey',
        sub: 'robot-7',
        nbf: NOW_S - 10,
        exp: NOW_S + 21_600,
        video: { room: 'yard', roomJoin: true, canPublish: true, canSubscribe: false },
      },
    ]);
  });

  it('says what it is told to', () => {
    const grants = { canPublish: false, canSubscribe: true, name: 'Robot 7', lifetimeS: 60 };
    const [, claims] = read(liveKitToken({ ...OPTIONS, ...grants }));
    expect(claims).toMatchObject({
      name: 'Robot 7',
      exp: NOW_S + 60,
      video: { canPublish: false, canSubscribe: true },
    });
  });

  it('is signed with the secret', () => {
    const token = liveKitToken(OPTIONS);
    const [header, claims, signature] = token.split('.');
    expect(signature).toBe(createHmac('sha256', 'secret').update(`${header}.${claims}`).digest('base64url'));
    expect(liveKitToken({ ...OPTIONS, apiSecret: 'another' })).not.toBe(token);
  });

  it.each([
    ['apiKey', ''],
    ['apiSecret', ''],
    ['room', ''],
    ['identity', ''],
    ['lifetimeS', 0],
    ['lifetimeS', Number.NaN],
  ])('is not made with %s %j', (field, value) => {
    expect(() => liveKitToken({ ...OPTIONS, [field]: value })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', context: { field } }),
    );
  });
});
