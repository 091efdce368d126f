import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import type { SfuSpec } from '../../src/service/schema/publisher-schema.js';
import { signallerFor } from '../../src/service/signaller-for.js';

describe('the signaller of a configuration', () => {
  it.each<[SfuSpec, string]>([
    [{ whip: { url: 'http://sfu.example/whip' } }, 'WHIP http://sfu.example/whip'],
    [{ janus: { url: 'ws://sfu.example', room: 1 } }, 'Janus ws://sfu.example/ room 1'],
    [{ livekit: { url: 'ws://sfu.example', token: 'secret' } }, 'LiveKit ws://sfu.example/'],
    [
      { livekit: { url: 'ws://sfu.example', apiKey: 'key', apiSecret: 'secret', room: 'yard', identity: 'robot' } },
      'LiveKit ws://sfu.example/',
    ],
  ])('of %j leads to %s', (spec, description) => {
    expect(signallerFor(spec, new SystemClock(), silentLogger).description).toBe(description);
  });

  it('needs a protocol', () => {
    expect(() => signallerFor({}, new SystemClock(), silentLogger)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
