import { describe, expect, it } from 'vitest';
import { plainPalette, statusTable } from '../../src/cli/status-table.js';
import { type Output, Terminal } from '../../src/cli/terminal.js';
import type { CameraStatus, SenderStatus } from '../../src/loopback/status.js';

const CAMERA: CameraStatus = {
  id: 'front',
  source: 'test-pattern',
  codec: 'vp8',
  codecs: ['vp8'],
  size: { width: 1280, height: 720 },
  sizes: [{ width: 1280, height: 720 }],
  encoderImplementation: 'libvpx',
  width: 1280,
  height: 720,
  framerate: 29.9,
  targetBps: 2_000_000,
  actualBps: 640_400,
  weight: 1,
  paused: false,
  health: 'ok',
  framesEncoded: 100,
  framesSent: 99,
  framesDropped: 1,
  keyFrames: 1,
  swaps: 0,
};

function status(...cameras: Partial<CameraStatus>[]): SenderStatus {
  const tracks = cameras.map((camera) => ({ ...CAMERA, ...camera }));
  return { state: 'connected', targetBps: 4_000_000, uptimeMs: 3_723_000, tracks };
}

class Recorder implements Output {
  text = '';
  readonly isTTY: boolean;
  columns = 60;

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
  }
}

function terminal(options: { readonly isTTY: boolean; readonly json?: boolean }) {
  const output = new Recorder(options.isTTY);
  const errors = new Recorder(options.isTTY);
  return { output, errors, terminal: new Terminal({ output, errors, json: options.json ?? false, colours: true }) };
}

describe('the status table', () => {
  it('shows uptime, rates and sizes for people, in columns that line up', () => {
    const lines = statusTable(status({}, { id: 'a-long-camera-name', health: 'stalled' }), plainPalette);
    expect(lines[0]).toBe('framelock  connected  target 4.00 Mbit/s  up 01:02:03');
    const [header = '', first = '', second = ''] = lines.slice(2);
    expect(first).toContain('1280x720');
    expect(first).toContain('640 kbit/s');
    expect(first).toContain('2.00 Mbit/s');
    for (const row of [first, second]) expect(row.slice(header.indexOf('source')).trimEnd()).toMatch(/^test-pattern/);
  });

  it('shows a sender without cameras', () => {
    expect(statusTable(status(), plainPalette)).toHaveLength(3);
  });
});

describe('the terminal', () => {
  it('shows the table on one that does not know its size, too', () => {
    const { output, terminal: shown } = terminal({ isTTY: true });
    output.columns = 0;
    shown.show(status({}));
    expect(output.text).toContain('1280x720');
  });

  it('prints one JSON object a status line for programs, and nothing else on stdout', () => {
    const { output, errors, terminal: shown } = terminal({ isTTY: true, json: true });
    shown.heading(['Live video at http://127.0.0.1:1/']);
    shown.warn('something');
    shown.show(status({}));
    expect(JSON.parse(output.text)).toEqual(status({}));
    expect(errors.text).toContain('Live video');
    expect(errors.text).toContain('something');
  });

  it('writes no escape sequences where there is no terminal', () => {
    const { output, errors, terminal: shown } = terminal({ isTTY: false });
    shown.heading(['heading']);
    shown.error('broken', { trackId: 'front', nothing: undefined });
    shown.show(status({ health: 'stalled' }));
    expect(output.text + errors.text).not.toContain('\u001b');
    expect(errors.text).toBe('broken trackId=front\n');
  });

  it('redraws in place on a terminal, cuts lines to its width, and shows what happened lately', () => {
    const { output, terminal: shown } = terminal({ isTTY: true });
    for (let message = 1; message <= 9; message += 1) shown.info(`message ${message}`);
    shown.warn('of two lines\nmessage 10');
    shown.show(status({}));
    const first = output.text;
    expect(first).not.toContain('message 2');
    expect(first).toContain('message 10');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of a terminal are what is looked for
    const visible = first.replace(/\u001b\[[\d]*[A-Za-z]/g, '').split('\n');
    for (const line of visible) expect(line.replace('\r', '').length).toBeLessThanOrEqual(60);
    shown.show(status({}));
    expect(output.text.slice(first.length)).toContain(`\u001b[${visible.length - 1}A`);
  });
});
