import { describe, expect, it } from 'vitest';
import { isFromThisMachine } from '../../src/service/api/peer-address.js';

describe('whether a caller is on this machine', () => {
  it('is told by the two ends of its connection', () => {
    const comesFrom = (remoteAddress: string, localAddress = '192.0.2.1') =>
      isFromThisMachine({ remoteAddress, localAddress });
    expect(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1', '192.0.2.1'].map((from) => comesFrom(from))).toEqual(
      Array(5).fill(true),
    );
    expect(['192.0.2.2', '::ffff:192.0.2.2', '2001:db8::1', '127.example'].map((from) => comesFrom(from))).toEqual(
      Array(4).fill(false),
    );
    expect(isFromThisMachine({})).toBe(false);
  });
});
