import { expect, it } from 'vitest';
import { openResources } from '../../src/bench/support/open-resources.js';
import { SystemClock } from '../../src/core/clock.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import { RtcSender } from '../../src/sender/rtc-sender.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { createWeriftTransportFactory } from '../../src/transport/werift/werift-transport-factory.js';
import { nothingLeftSince } from '../support/open-resources.js';
import { PoisoningEncoderFactory } from '../support/poisoning-encoder.js';

const CYCLES = 15;

it('connects and closes again and again, at times after an ICE restart, and leaves nothing open at either end', async () => {
  const before = openResources();
  const sfu = new LoopbackSfu({ port: 0 });
  const { url } = await sfu.start();
  const transport = createWeriftTransportFactory({ clock: new SystemClock() });
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    let move: ((reason: string) => void) | undefined;
    const sender = new RtcSender({
      encoders: new PoisoningEncoderFactory(),
      transport: (observer) => {
        move = (reason) => observer.addressesChanged?.(reason);
        return transport(observer);
      },
    });
    await sender.addEncodedVideoTrack({ id: 'front', codec: 'vp8' });
    await sender.connect(new WhipSignaller({ url: `${url}/whip/demo` }));
    // In whatever phase the close meets it.
    if (cycle % 3 > 0) move?.('a test');
    if (cycle % 3 > 1) await new Promise((resolve) => setTimeout(resolve, 20 * cycle));
    const report = await sender.close();
    expect(report.clean).toBe(true);
  }
  await sfu.close();
  await nothingLeftSince(before);
});
