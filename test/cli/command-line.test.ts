import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/command-line.js';
import { EXIT_CODES, exitCodeOf } from '../../src/cli/exit-codes.js';
import { helpText } from '../../src/cli/help.js';
import { FramelockError } from '../../src/core/errors.js';

const ENCODING = { isolation: 'none', hardwareEncoders: [], degradationPreference: 'balanced' } as const;
const WHIP = ['--whip', 'http://127.0.0.1:8080/whip/demo'];
const JANUS = ['--janus', 'ws://127.0.0.1:8188'];
const LIVEKIT = ['--livekit', 'ws://127.0.0.1:7880'];

describe('the command line', () => {
  it('of a demo has a port and a bitrate of its own where none is given', () => {
    expect(parseCommandLine(['demo'], {})).toEqual({
      command: 'demo',
      sources: [],
      port: 8080,
      bitrateBps: 4_000_000,
      ...ENCODING,
      json: false,
    });
  });

  it('of a demo takes files, a port and a bitrate', () => {
    expect(parseCommandLine(['demo', 'a.mp4', '--port', '0', 'b.mp4', '--bitrate', '2500k', '--json'], {})).toEqual({
      command: 'demo',
      sources: ['a.mp4', 'b.mp4'],
      port: 0,
      bitrateBps: 2_500_000,
      ...ENCODING,
      json: true,
    });
  });

  it('of publish takes several sources, and its token from the environment', () => {
    const args = ['publish', '--source', 'test', '--source', 'a.mp4', ...WHIP, '--codec', 'H264', '--bitrate', '1.5M'];
    expect(parseCommandLine(args, { FRAMELOCK_TOKEN: 'secret' })).toEqual({
      command: 'publish',
      sources: ['test', 'a.mp4'],
      sfu: { protocol: 'whip', url: WHIP[1] },
      iceServers: [],
      iceTransportPolicy: 'all',
      transport: 'werift',
      token: 'secret',
      codec: 'h264',
      bitrateBps: 1_500_000,
      ...ENCODING,
      json: false,
    });
  });

  it('of publish takes STUN and TURN servers, and the user of the latter from the environment', () => {
    const args = [
      'publish',
      '--source',
      'test',
      ...WHIP,
      '--ice-server',
      'stun:a',
      '--ice-server',
      'turn:b?transport=tcp',
    ];
    const user = { username: 'name', credential: 'pass:word' };
    expect(parseCommandLine(args, { FRAMELOCK_ICE_USER: 'name:pass:word' })).toMatchObject({
      iceServers: [{ urls: 'stun:a' }, { urls: 'turn:b?transport=tcp', ...user }],
      iceTransportPolicy: 'all',
      transport: 'werift',
    });
    expect(parseCommandLine([...args, '--ice-user', 'name:pass:word', '--relay-only'], {})).toMatchObject({
      iceServers: [{ urls: 'stun:a' }, user],
      iceTransportPolicy: 'relay',
    });
    const server =
      (...more: string[]) =>
      () =>
        parseCommandLine([...args.slice(0, 5), ...more], {});
    expect(server('--ice-server', 'turn:b')).toThrow(/--ice-user/);
    expect(server('--ice-server', 'turn:b', '--ice-user', 'name')).toThrow(/NAME:PASSWORD/);
    expect(server('--relay-only')).toThrow(/--ice-server/);
    expect(server('--transport', 'udp')).toThrow(/--transport udp: .*werift, node-datachannel/);
  });

  it.each([
    [['--room', '1234', '--pin', 'given'], { room: 1234, pin: 'given' }],
    [['--room', '1234'], { room: 1234, pin: 'environment' }],
    [['--room', 'garage'], { room: 'garage', pin: 'environment' }],
  ])('of publish takes a room of Janus, %j, and its pin from the environment', (args, room) => {
    const command = parseCommandLine(['publish', '--source', 'test', ...JANUS, ...args], {
      FRAMELOCK_PIN: 'environment',
    });
    expect(command).toMatchObject({ sfu: { protocol: 'janus', url: JANUS[1], ...room } });
  });

  it.each([
    [[], {}, undefined],
    [
      ['--room', 'yard', '--identity', 'robot-7'],
      { LIVEKIT_API_KEY: 'key', LIVEKIT_API_SECRET: 'secret' },
      { apiKey: 'key', apiSecret: 'secret', room: 'yard', identity: 'robot-7' },
    ],
  ])(
    'of publish takes a LiveKit server, with a token or with %j and its key from the environment',
    (args, environment, key) => {
      const command = parseCommandLine(['publish', '--source', 'test', ...LIVEKIT, ...args], environment);
      expect(command).toMatchObject({ sfu: { protocol: 'livekit', url: LIVEKIT[1], key } });
    },
  );

  it.each(['vp8', 'vp9', 'h264', 'av1'])('of publish takes the codec %s, and its help names it', (codec) => {
    expect(parseCommandLine(['publish', '--source', 'test', ...WHIP, '--codec', codec], {})).toMatchObject({ codec });
    expect(helpText('publish')).toMatch(new RegExp(`--codec CODEC.*\\b${codec}\\b`));
  });

  it.each([['demo'], ['publish', '--source', 'test', ...WHIP]])('of %s tells how to encode', (...args) => {
    const encoding = ['--isolation', 'process', '--hardware', 'qsv, NVENC', '--degradation', 'maintain-framerate'];
    expect(parseCommandLine([...args, ...encoding], {})).toMatchObject({
      isolation: 'process',
      hardwareEncoders: ['qsv', 'nvenc'],
      degradationPreference: 'maintain-framerate',
    });
  });

  it.each(['demo', 'publish'] as const)('of %s has a help that names every way to encode', (topic) => {
    for (const word of [
      'process',
      'nvenc',
      'vaapi',
      'qsv',
      'amf',
      'v4l2m2m',
      'maintain-framerate',
      'maintain-resolution',
      'balanced',
    ]) {
      expect(helpText(topic)).toContain(word);
    }
  });

  it('of probe takes nothing but the form of its output', () => {
    expect(parseCommandLine(['probe'], {})).toEqual({ command: 'probe', json: false });
    expect(parseCommandLine(['probe', '--json'], {})).toEqual({ command: 'probe', json: true });
  });

  it('of bench takes one name or none, and a file for JSON or the standard output', () => {
    const all = { command: 'bench', name: undefined, quick: false, json: false, file: undefined };
    expect(parseCommandLine(['bench'], {})).toEqual(all);
    const latency = parseCommandLine(['bench', 'latency', '--quick', '--json', 'x.json'], {});
    expect(latency).toEqual({ ...all, name: 'latency', quick: true, file: 'x.json' });
    expect(parseCommandLine(['bench', '--json', '-'], {})).toEqual({ ...all, json: true });
  });

  it('prefers a token that is given as an option', () => {
    const args = ['publish', '--source', 'test', ...WHIP, '--token', 'given'];
    expect(parseCommandLine(args, { FRAMELOCK_TOKEN: 'environment' })).toMatchObject({ token: 'given' });
  });

  it.each([
    [['pubilsh'], /unknown command "pubilsh"/],
    [['demo', '--port', '65536'], /--port 65536/],
    [['demo', '--port', ''], /--port/],
    [['demo', '--port', '1.5'], /--port 1.5/],
    [['demo', '--bitrate', '4MB'], /--bitrate 4MB/],
    [['demo', '--bitrate', '-1'], /bitrate/],
    [['demo', '--bitrate', '0'], /--bitrate 0/],
    [['demo', '--prot', '1'], /--prot/],
    [['publish', ...WHIP], /--source/],
    [['publish', '--source', 'test'], /--whip URL.*--janus URL.*--livekit URL/],
    [['publish', '--source', 'test', ...LIVEKIT, ...WHIP], /needs one of --whip/],
    [['publish', '--source', 'test', ...LIVEKIT, '--room', 'yard'], /--room and --identity with LIVEKIT_API_KEY/],
    [['publish', '--source', 'test', ...LIVEKIT, '--room', 'yard', '--identity', 'r'], /LIVEKIT_API_SECRET/],
    [['publish', '--source', 'test', ...LIVEKIT, '--pin', '1'], /--pin belongs to --janus/],
    [['publish', '--source', 'test', ...WHIP, '--identity', 'r'], /--identity belongs to --livekit/],
    [['publish', '--source', 'test', ...WHIP, ...JANUS, '--room', '1'], /needs one of --whip/],
    [['publish', '--source', 'test', ...JANUS], /--room/],
    [['publish', '--source', 'test', ...WHIP, '--room', '1'], /belong to --janus/],
    [['publish', '--source', 'test', ...WHIP, '--pin', '1'], /belong to --janus/],
    [['publish', '--source', 'test', ...WHIP, '--codec', 'theora'], /vp8, vp9, h264, av1/],
    [['demo', '--isolation', 'thread'], /--isolation thread: .*none, process/],
    [['demo', '--hardware', ''], /--hardware : .*nvenc, vaapi, qsv, amf, v4l2m2m/],
    [['demo', '--hardware', 'nvenc,vga'], /--hardware vga/],
    [['publish', '--source', 'test', ...WHIP, '--degradation', 'none'], /--degradation none: .*maintain-framerate/],
    [['probe', '--isolation', 'process'], /--isolation/],
    [['probe', 'stray'], /stray/],
    [['bench', 'api', 'latency'], /one benchmark at a time/],
    [['bench', '--json', ''], /--json needs a file name/],
    [['bench', '--json'], /--json/],
    [['publish', 'stray', '--source', 'test', ...WHIP], /stray/],
  ])('refuses %j and says what is wrong', (args, message) => {
    const parse = () => parseCommandLine(args, {});
    expect(parse).toThrow(message);
    expect(parse).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it.each([
    [[], undefined],
    [['--help'], undefined],
    [['help'], undefined],
    [['help', 'serve'], 'serve'],
    [['demo', '-h'], 'demo'],
    [['publish', '--help'], 'publish'],
    [['probe', '--help'], 'probe'],
    [['bench', 'api', '--help'], 'bench'],
  ] as const)('%j asks for help', (args, topic) => {
    const command = parseCommandLine(args, {});
    expect(command).toEqual({ command: 'help', ...(topic === undefined ? {} : { topic }) });
    expect(helpText(topic)).toMatch(/Exit codes/);
  });
});

describe('exit codes', () => {
  it.each([
    ['USAGE', EXIT_CODES.usage],
    ['SOURCE_NOT_FOUND', EXIT_CODES.source],
    ['SIGNALLING_REJECTED', EXIT_CODES.sfu],
    ['CONNECT_TIMEOUT', EXIT_CODES.sfu],
    ['ADDRESS_IN_USE', EXIT_CODES.port],
    ['ENCODER_OPEN_FAILED', EXIT_CODES.failure],
  ] as const)('tell %s as %i', (code, expected) => {
    expect(exitCodeOf(new FramelockError(code, 'x'))).toBe(expected);
  });

  it('tell anything unexpected as a failure', () => {
    expect(exitCodeOf(new TypeError('x'))).toBe(1);
    expect(exitCodeOf('x')).toBe(1);
  });
});
