import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openResources } from '../../../src/bench/support/open-resources.js';
import { createNodeDatachannelTransportFactory } from '../../../src/transport/node-datachannel/node-datachannel-transport-factory.js';
import { nothingLeftSince } from '../../support/open-resources.js';
import { RawPeer } from '../raw-peer.js';
import { itKeepsTheTransportContract } from '../transport-contract.js';
import { eventually, observeTransport } from '../wrtc-peer.js';

const FRONT = { trackId: 'front', codec: 'vp8', ssrc: 1111 } as const;
const HEADER = { payloadType: 96, timestamp: 1, ssrc: 1111, marker: true, extensions: [] };

itKeepsTheTransportContract('NodeDatachannelTransport', {
  factoryOf: createNodeDatachannelTransportFactory,
  countsRejections: false,
  // The library begins to end DTLS, and mostly frees it before that was carried out. RTCP BYE and the end of the session tell.
  tellsThatItCloses: false,
});

/** Connects, sends, and closes in whatever phase the cycle says. */
async function cycle(index: number): Promise<void> {
  const { transport } = observeTransport(createNodeDatachannelTransportFactory, { bindAddress: '127.0.0.1' });
  const peer = await RawPeer.open();
  const offer = await transport.createOffer([FRONT]);
  if (index % 4 > 0) await transport.acceptAnswer(peer.answer(offer));
  if (index % 4 > 1) {
    await transport.connected(5000);
    for (let sequenceNumber = 0; sequenceNumber < 20; sequenceNumber += 1) {
      expect(transport.sendRtp({ ...HEADER, sequenceNumber }, Buffer.alloc(1000))).toBe(true);
    }
  }
  if (index % 4 > 2) await eventually(() => peer.rtp.length > 0, 'a packet');
  await Promise.all([transport.close(), transport.close(), peer.close()]);
}

describe('NodeDatachannelTransport', () => {
  it('connects and closes 50 times, in every phase, and leaves neither handles nor threads', async () => {
    // What the library keeps for good comes with its first connections.
    for (let index = 0; index < 4; index += 1) await cycle(index);
    const before = openResources();
    const threads = () => (process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0);
    const threadsBefore = threads();
    for (let index = 0; index < 50; index += 1) await cycle(index);
    await nothingLeftSince(before);
    await eventually(() => threads() <= threadsBefore, 'threads to end', 2000);
  });

  it.each(['closed', 'left open'])('lets the process end, its connection %s', async (how) => {
    const program = `
      import { SystemClock } from './src/core/clock.ts';
      import { createNodeDatachannelTransportFactory } from './src/transport/node-datachannel/node-datachannel-transport-factory.ts';
      const factory = createNodeDatachannelTransportFactory({ clock: new SystemClock(), bindAddress: '127.0.0.1' });
      const transport = factory({ stateChanged: () => undefined, rtcp: () => undefined });
      await transport.createOffer([{ trackId: 'front', codec: 'vp8', ssrc: 1 }]);
      if (${how === 'closed'}) await transport.close();
      else process.exit(0);
    `;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', program];
    // A process that crashes or hangs rejects.
    await promisify(execFile)(process.execPath, args, { timeout: 20_000, killSignal: 'SIGKILL' });
  });
});
