import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AckedRate } from '../../src/congestion/acked-rate.js';
import { received, steady } from './packet-results.js';

/** 1200 bytes each 10 ms. */
const STEADY_BPS = 960_000;

describe('AckedRate', () => {
  it('says nothing of fewer than ten packets', () => {
    const rate = new AckedRate();
    rate.add(steady(9, 10_000));
    expect(rate.bps).toBeUndefined();
    rate.add([received(9, 90_000, 50_000)]);
    expect(rate.bps).toBeCloseTo(STEADY_BPS, 6);
  });

  it('is the lesser of what was sent and what arrived', () => {
    // Sent 10 ms apart, arrived 5 ms apart: a queue has let them go.
    const draining = new AckedRate();
    draining.add(steady(20, 10_000).map((each, index) => ({ ...each, receivedAtUs: 500_000 + index * 5_000 })));
    expect(draining.bps).toBeCloseTo(STEADY_BPS, 6);
    // Sent 5 ms apart, arrived 10 ms apart: a queue builds up.
    const filling = new AckedRate();
    filling.add(steady(20, 5_000).map((each, index) => ({ ...each, receivedAtUs: 500_000 + index * 10_000 })));
    expect(filling.bps).toBeCloseTo(STEADY_BPS, 6);
  });

  it('counts the largest gap in the arrivals as the second largest', () => {
    const rate = new AckedRate();
    // An outage of 300 ms before the eleventh packet; what was sent meanwhile arrives late as well, at the same pace.
    rate.add(
      steady(20, 10_000).map((each, index) => ({ ...each, receivedAtUs: index * 10_000 + (index < 10 ? 0 : 300_000) })),
    );
    expect(rate.bps).toBeCloseTo(STEADY_BPS, 6);
  });

  it('forgets what is older than a second, but keeps twenty packets for up to five', () => {
    const rate = new AckedRate();
    rate.add(steady(200, 10_000));
    // Twice the rate for a second: nothing else counts afterwards.
    rate.add(steady(210, 5_000, 2_000_000));
    expect(rate.bps).toBeCloseTo(2 * STEADY_BPS, 6);
    const slow = new AckedRate();
    // 4 packets a second: 20 of them would take 5 s.
    slow.add(steady(100, 250_000));
    expect(slow.bps).toBeCloseTo((1_200 * 8) / 0.25, 6);
  });

  it('says nothing after a pause of five seconds', () => {
    const rate = new AckedRate();
    rate.add(steady(100, 10_000));
    rate.add([received(100, 7_000_000, 50_000)]);
    expect(rate.bps).toBeUndefined();
  });

  it('counts bytes of which nothing was heard with the packet after them', () => {
    const rate = new AckedRate();
    rate.add(steady(20, 10_000).map((each) => ({ ...each, priorUnreportedBytes: each.sequence === 10 ? 5_700 : 0 })));
    // 19 x 1200 and 5700 bytes in 190 ms.
    expect(rate.bps).toBeCloseTo(1_200_000, 6);
  });

  it('puts packets in the order of arrival that overtaken feedback brings', () => {
    const [inOrder, mixed] = [new AckedRate(), new AckedRate()];
    const packets = steady(40, 10_000);
    inOrder.add(packets);
    mixed.add(packets.slice(0, 10));
    mixed.add(packets.slice(20));
    mixed.add(packets.slice(10, 20));
    expect(mixed.bps).toBe(inOrder.bps);
  });

  it('begins anew when packets arrive more than a second before the newest: that one was wrong', () => {
    const rate = new AckedRate();
    rate.add(steady(20, 10_000));
    rate.add([received(20, 200_000, 9_000_000)]);
    rate.add(steady(20, 10_000, 210_000));
    expect(rate.bps).toBeCloseTo(STEADY_BPS, 6);
  });

  it('is finite for any times and sizes', () => {
    const packet = fc.record({ sentAtUs: fc.nat(10_000_000), delayUs: fc.nat(10_000_000), sizeBytes: fc.nat(1_500) });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 100 }), (packets) => {
        const rate = new AckedRate();
        const results = packets.map(({ sentAtUs, delayUs, sizeBytes }, index) =>
          received(index, sentAtUs, delayUs, { sizeBytes }),
        );
        rate.add(results.sort((a, b) => a.receivedAtUs - b.receivedAtUs));
        const { bps = 0 } = rate;
        expect(Number.isFinite(bps)).toBe(true);
        expect(bps).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
