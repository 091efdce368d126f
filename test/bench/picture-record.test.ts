import { describe, expect, it } from 'vitest';
import { PictureRecord } from '../../bench/support/real-link/picture-record.js';

const START_US = 1e6;
const END_US = 11e6;

function figures(decodedAtS: readonly number[], latencyMs?: number) {
  const record = new PictureRecord();
  record.add(
    decodedAtS.map((atS) => ({
      decodedAtUs: atS * 1e6,
      ...(latencyMs === undefined ? {} : { capturedAtUs: atS * 1e6 - latencyMs * 1000 }),
    })),
  );
  return record.figures(START_US, END_US);
}

describe('the record of pictures', () => {
  it.each([
    ['between two pictures', [2, 3, 7, 8, 10], 4000],
    ['from the last picture to the end', [2, 3, 4], 7000],
    ['all the time without any', [], 10_000],
    ['not before the first picture', [9, 10, 10.5], 1000],
    ['not outside of the scenario', [0.1, 9, 10, 30], 1000],
  ])('finds the longest time that the picture stood: %s', (_where, decodedAtS, freezeMs) => {
    expect(figures(decodedAtS)['freeze_ms_max']).toBeCloseTo(freezeMs);
  });

  it('can be asked for one of several cameras', () => {
    const record = new PictureRecord();
    record.add([2, 3, 4, 5, 9].map((atS, index) => ({ decodedAtUs: atS * 1e6, cameraId: 1 + (index % 2) })));
    expect(record.figures(START_US, END_US, 1)['freeze_ms_max']).toBeCloseTo(5000);
    expect(record.figures(START_US, END_US, 2)['decoded_fps']).toBeCloseTo(0.2);
    expect(record.firstAfter(3.5e6, 2)?.decodedAtUs).toBe(5e6);
  });

  it('takes the latency of pictures that tell when they were captured', () => {
    expect(figures([2, 3, 4], 120)['latency_ms_p99']).toBeCloseTo(120);
    expect(figures([2, 3, 4])['latency_ms_p99']).toBeNaN();
  });
});
