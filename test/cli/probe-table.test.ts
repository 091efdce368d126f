import { describe, expect, it } from 'vitest';
import { cameraLines, nativeLine, probeTable } from '../../src/cli/probe-table.js';
import { colourPalette, plainPalette } from '../../src/cli/status-table.js';
import type { EncoderProbe } from '../../src/encoder/node-av/encoder-candidates.js';

const PROBES: readonly EncoderProbe[] = [
  { codec: 'vp8', encoderName: 'libvpx', kind: 'software', opens: true, openMs: 12.34, encodeMs: 4 },
  { codec: 'h264', encoderName: 'h264_nvenc', kind: 'hardware', opens: false, reason: 'Cannot load\n libcuda.so.1' },
  { codec: 'av1', encoderName: 'av1_qsv', kind: 'hardware', opens: false, openMs: 100, reason: 'x'.repeat(200) },
];

describe('the table of encoders', () => {
  it('tells of each whether it works, how long that took, and in few words why it does not', () => {
    expect(probeTable(PROBES, plainPalette)).toEqual([
      'codec  encoder     kind      works      open  first frame  reason',
      'vp8    libvpx      software  yes     12.3 ms       4.0 ms',
      'h264   h264_nvenc  hardware  no            -            -  Cannot load libcuda.so.1',
      `av1    av1_qsv     hardware  no     100.0 ms            -  ${'x'.repeat(71)}…`,
    ]);
  });

  it('paints what does not work faint, and nothing else in its rows', () => {
    const [, works = '', fails = ''] = probeTable(PROBES, colourPalette);
    expect(works).not.toContain('\u001b');
    expect(fails).toBe(colourPalette.faint(probeTable(PROBES, plainPalette)[2] ?? ''));
  });

  it('is a line of titles where there is nothing to tell', () => {
    expect(probeTable([], plainPalette)).toEqual(['codec  encoder  kind  works  open  first frame  reason']);
  });
});

describe('the line of the native encoders', () => {
  it('tells which there are, or why there are none and what to do', () => {
    const addon = {
      interface: 1,
      codecs: ['vp8', 'vp9'],
      open: neverCalled,
      encode: neverCalled,
      free: neverCalled,
    } as const;
    expect(nativeLine({ kind: 'loaded', addon })).toBe('native encoders: vp8, vp9');
    expect(nativeLine({ kind: 'not built' })).toBe('native encoders: not built (npm run build:native)');
    expect(nativeLine({ kind: 'switched off' })).toBe('native encoders: switched off (FRAMELOCK_NATIVE=0)');
    expect(nativeLine({ kind: 'broken', error: new Error('no libaom.so.3') })).toMatch(/do not load: no libaom.so.3$/);
  });
});

function neverCalled(): never {
  throw new Error('the line asks nothing of the addon');
}

describe('the cameras', () => {
  it('are told a line each, with who may open them', () => {
    const camera = { device: '/dev/video0', name: 'HD Webcam', index: 0, accessible: true, group: 'video' };
    expect(
      cameraLines([camera, { ...camera, device: '/dev/video1', index: 1 }, { ...camera, accessible: false }]),
    ).toEqual([
      'camera /dev/video0: HD Webcam (may be opened)',
      'camera /dev/video1: HD Webcam (data about pictures, as a rule)',
      'camera /dev/video0: HD Webcam (may be opened by the group video only)',
    ]);
    expect(cameraLines([])).toEqual(['cameras: none']);
  });
});
