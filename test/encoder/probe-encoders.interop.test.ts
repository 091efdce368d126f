import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EncoderCandidate } from '../../src/encoder/node-av/encoder-candidates.js';
import { probeEncoders } from '../../src/encoder/node-av/probe-encoders.js';

beforeEach(() => {
  // Node runs the program of the child from its source.
  vi.stubEnv('NODE_OPTIONS', '--import tsx');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** What a driver may do to its process. */
const CRASH = "process.kill(process.pid, 'SIGSEGV')";

const TWO: readonly EncoderCandidate[] = [
  { codec: 'vp8', encoderName: 'libvpx', kind: 'software' },
  { codec: 'h264', encoderName: 'libx264', kind: 'software' },
];

describe('probeEncoders with real encoders', () => {
  it('finds every software encoder at work, and tells of each hardware encoder how it is or why it is not', async () => {
    const probes = await probeEncoders();
    const software = probes.filter(({ kind }) => kind === 'software');
    expect(software.map(({ encoderName, opens }) => [encoderName, opens])).toEqual(
      ['libvpx', 'libvpx-vp9', 'libx264', 'libsvtav1', 'libopus'].map((name) => [name, true]),
    );
    for (const probe of probes) {
      if (probe.opens) expect([typeof probe.openMs, typeof probe.encodeMs]).toEqual(['number', 'number']);
      else expect(probe.reason).toMatch(/\w/);
    }
  });

  it('goes on with the next one after each that it has to kill', async () => {
    const probes = await probeEncoders({ candidates: TWO, timeoutMs: 1 });
    expect(probes).toEqual(TWO.map((candidate) => ({ ...candidate, opens: false, reason: 'no answer within 1 ms' })));
  });

  it('survives a process that crashes, and says how it died', async () => {
    vi.stubEnv('NODE_OPTIONS', `--import data:text/javascript,${encodeURIComponent(CRASH)}`);
    const reason = 'the process that tried it died of SIGSEGV';
    expect(await probeEncoders({ candidates: TWO })).toEqual(
      TWO.map((candidate) => ({ ...candidate, opens: false, reason })),
    );
  });

  it('says so of an encoder that FFmpeg does not have', async () => {
    const candidates: readonly EncoderCandidate[] = [{ codec: 'h264', encoderName: 'libnothing', kind: 'software' }];
    expect(await probeEncoders({ candidates })).toMatchObject([
      { opens: false, reason: expect.stringMatching(/build/) },
    ]);
  });
});
