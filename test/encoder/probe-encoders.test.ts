import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ENCODER_CANDIDATES,
  type EncoderCandidate,
  type EncoderProbe,
  NOT_BUILT_IN,
} from '../../src/encoder/node-av/encoder-candidates.js';
import {
  type ProbeEncodersOptions,
  type ProbeObserver,
  probeEncoders,
} from '../../src/encoder/node-av/probe-encoders.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const CANDIDATES: readonly EncoderCandidate[] = [
  { codec: 'vp8', encoderName: 'libvpx', kind: 'software' },
  { codec: 'h264', encoderName: 'h264_nvenc', kind: 'hardware' },
  { codec: 'h264', encoderName: 'h264_vaapi', kind: 'hardware' },
];
const [VP8, NVENC, VAAPI] = CANDIDATES as [EncoderCandidate, EncoderCandidate, EncoderCandidate];

/** A process that does what the test says. */
interface FakeProcess {
  readonly names: readonly string[];
  readonly observer: ProbeObserver;
  kills: number;
}

let clock: VirtualClock;
let processes: FakeProcess[];

beforeEach(() => {
  clock = new VirtualClock();
  processes = [];
});

afterEach(() => {
  expect(clock.pendingTimers).toBe(0);
});

function probe(options: ProbeEncodersOptions = {}): Promise<readonly EncoderProbe[]> {
  return probeEncoders({
    candidates: CANDIDATES,
    clock,
    timeoutMs: 5000,
    launch: (candidates, observer) => {
      const own = { names: candidates.map(({ encoderName }) => encoderName), observer, kills: 0 };
      processes.push(own);
      return () => {
        own.kills += 1;
        observer.ended('died of SIGKILL');
      };
    },
    ...options,
  });
}

/** The process that was started last. */
function current(): FakeProcess {
  const [last] = processes.slice(-1);
  if (last === undefined) throw new Error('no process was started');
  return last;
}

function works(candidate: EncoderCandidate): EncoderProbe {
  return { ...candidate, opens: true, openMs: 5, encodeMs: 4 };
}

describe('probeEncoders', () => {
  it('tries everything in one process where nothing goes wrong, and gives the probes in order', async () => {
    const probing = probe();
    for (const candidate of CANDIDATES) current().observer.tried(works(candidate));
    current().observer.ended('ended with code 0');
    expect(await probing).toEqual(CANDIDATES.map(works));
    expect(processes.map(({ names }) => names)).toEqual([['libvpx', 'h264_nvenc', 'h264_vaapi']]);
  });

  it('blames a crash on the encoder that was being tried, and tries those behind it in another process', async () => {
    const probing = probe();
    current().observer.tried(works(VP8));
    current().observer.ended('died of SIGSEGV');
    await settle();
    expect(current().names).toEqual(['h264_vaapi']);
    current().observer.tried(works(VAAPI));
    current().observer.ended('ended with code 0');
    expect(await probing).toEqual([
      works(VP8),
      { ...NVENC, opens: false, reason: 'the process that tried it died of SIGSEGV' },
      works(VAAPI),
    ]);
  });

  it('ends a process that does not answer in time, each encoder having its own', async () => {
    const probing = probe();
    await clock.advance(4999);
    current().observer.tried(works(VP8));
    await clock.advance(4999);
    expect(processes.map(({ kills }) => kills)).toEqual([0]);
    await clock.advance(1);
    expect(processes.map(({ kills }) => kills)).toEqual([1, 0]);
    current().observer.tried(works(VAAPI));
    current().observer.ended('ended with code 0');
    expect((await probing)[1]).toEqual({ ...NVENC, opens: false, reason: 'no answer within 5000 ms' });
  });

  it('comes to an end where no process even starts', async () => {
    const probing = probe();
    for (const _ of CANDIDATES) {
      current().observer.ended('did not start: no memory');
      await settle();
    }
    const probes = await probing;
    expect(probes.map(({ opens, reason }) => [opens, reason])).toEqual(
      CANDIDATES.map(() => [false, 'the process that tried it did not start: no memory']),
    );
  });

  it('leaves out hardware encoders that FFmpeg was built without, and tells of such software encoders', async () => {
    const probing = probe();
    for (const candidate of CANDIDATES) {
      current().observer.tried({ ...candidate, opens: false, reason: NOT_BUILT_IN });
    }
    current().observer.ended('ended with code 0');
    expect(await probing).toEqual([{ ...VP8, opens: false, reason: NOT_BUILT_IN }]);
  });

  it('ends its process when it is cancelled, and starts none when it was before', async () => {
    const controller = new AbortController();
    const probing = probe({ signal: controller.signal });
    controller.abort();
    await expect(probing).rejects.toMatchObject({ code: 'CLOSED' });
    expect(processes.map(({ kills }) => kills)).toEqual([1]);
    await expect(probe({ signal: controller.signal })).rejects.toMatchObject({ code: 'CLOSED' });
    expect(processes).toHaveLength(1);
  });
});

describe('the candidates', () => {
  it('are named once each, and there is a software encoder for every codec', () => {
    const names = ENCODER_CANDIDATES.map(({ encoderName }) => encoderName);
    expect(new Set(names).size).toBe(names.length);
    const software = ENCODER_CANDIDATES.filter(({ kind }) => kind === 'software').map(({ codec }) => codec);
    expect([...software].sort()).toEqual(['av1', 'h264', 'opus', 'vp8', 'vp9']);
    expect(names).toEqual(expect.arrayContaining(['h264_nvenc', 'h264_vaapi', 'h264_qsv', 'h264_v4l2m2m']));
    for (const { codec, encoderName, kind } of ENCODER_CANDIDATES) {
      if (kind === 'hardware') expect(encoderName.startsWith(`${codec}_`)).toBe(true);
    }
  });
});
