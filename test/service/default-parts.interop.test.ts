import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { defaultParts } from '../../src/service/default-parts.js';
import type { PublisherSpec } from '../../src/service/schema/publisher-schema.js';

const TAP = { setStreams: () => undefined, sent: () => undefined };

/** The addresses that a publisher offers. */
async function offeredBy(spec: Partial<PublisherSpec>): Promise<readonly string[]> {
  const parts = defaultParts(new SystemClock(), silentLogger);
  await using sender = parts.createSender({ id: 'a', sfu: {}, ...spec }, silentLogger, TAP);
  await sender.addVideoTrack({ id: 'front', width: 320, height: 240 });
  let offer = '';
  const refuse = (sdp: string): Promise<never> => {
    offer = sdp;
    return Promise.reject(new Error('that is all we wanted to see'));
  };
  await sender.connect(refuse).catch(() => undefined);
  return offer.match(/^a=candidate:.*$/gm) ?? [];
}

describe('a publisher of the service', () => {
  it('offers the addresses of the machine', async () => {
    expect(await offeredBy({})).not.toEqual([]);
  });

  it('offers none of them where everything is to go by a TURN server', async () => {
    const iceServers = [{ urls: 'turn:127.0.0.1:9', username: 'robot', credential: 'secret' }];
    expect(await offeredBy({ iceServers, iceTransportPolicy: 'relay' })).toEqual([]);
  });
});
