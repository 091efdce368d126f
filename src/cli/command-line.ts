import { parseArgs } from 'node:util';
import { describeError } from '../core/errors.js';
import type { VideoCodec } from '../encoder/encoder.js';
import { ENCODING_OPTIONS, type EncodingOptions, parseEncoding } from './encoding-options.js';
import { ICE_OPTIONS, type IceCommandOptions, parseIce } from './ice-options.js';
import { parseSfuAddress, SFU_OPTIONS, type SfuAddress } from './sfu-address.js';
import { usageError } from './usage-error.js';

/** `framelock demo`. */
export interface DemoCommand extends EncodingOptions {
  readonly command: 'demo';
  /** Sources shown beside the two test patterns: files or URLs. */
  readonly sources: readonly string[];
  /** Port of the page; 0 for any. */
  readonly port: number;
  readonly bitrateBps: number;
  readonly json: boolean;
}

/** `framelock publish`. */
export interface PublishCommand extends EncodingOptions, IceCommandOptions {
  readonly command: 'publish';
  readonly sources: readonly string[];
  readonly sfu: SfuAddress;
  readonly token: string | undefined;
  readonly codec: VideoCodec;
  readonly bitrateBps: number;
  readonly json: boolean;
}

/** `framelock probe`. */
export interface ProbeCommand {
  readonly command: 'probe';
  readonly json: boolean;
}

/** `framelock serve`. */
export interface ServeCommand {
  readonly command: 'serve';
  /** Path of the configuration. */
  readonly config: string;
  /** Only checks the configuration. */
  readonly check: boolean;
  /** Its log is JSON, whatever is asked for. */
  readonly json: boolean;
}

/** `framelock bench`. */
export interface BenchCommand {
  readonly command: 'bench';
  /** @default the first one */
  readonly name: string | undefined;
  readonly quick: boolean;
  /** Whether there is JSON on its standard output, and nothing else. */
  readonly json: boolean;
  /** Where JSON is written beside the table. */
  readonly file: string | undefined;
}

/** What was asked for. */
export type Command =
  | DemoCommand
  | PublishCommand
  | ProbeCommand
  | ServeCommand
  | BenchCommand
  | { readonly command: 'help'; readonly topic?: HelpTopic }
  | { readonly command: 'version' };

/** Commands that have a help page of their own. */
const HELP_TOPICS = ['demo', 'publish', 'serve', 'probe', 'bench'] as const;
export type HelpTopic = (typeof HELP_TOPICS)[number];

const DEFAULT_PORT = 8080;
const DEMO_BITRATE_BPS = 4_000_000;
const PUBLISH_BITRATE_BPS = 2_000_000;
const CODECS: readonly VideoCodec[] = ['vp8', 'vp9', 'h264', 'av1'];

const DEMO_OPTIONS = {
  port: { type: 'string' },
  bitrate: { type: 'string' },
  ...ENCODING_OPTIONS,
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const PUBLISH_OPTIONS = {
  source: { type: 'string', multiple: true },
  ...SFU_OPTIONS,
  ...ICE_OPTIONS,
  token: { type: 'string' },
  codec: { type: 'string' },
  bitrate: { type: 'string' },
  ...ENCODING_OPTIONS,
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const PROBE_OPTIONS = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const SERVE_OPTIONS = {
  config: { type: 'string' },
  check: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const BENCH_OPTIONS = {
  quick: { type: 'boolean' },
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Parses the arguments behind the program's name.
 * @param environment for `FRAMELOCK_TOKEN`, `FRAMELOCK_PIN` and `FRAMELOCK_ICE_USER`, which keep secrets out of the process list
 * @throws FramelockError USAGE
 */
export function parseCommandLine(args: readonly string[], environment: NodeJS.ProcessEnv): Command {
  const [name, ...rest] = args;
  switch (name) {
    case undefined:
    case '--help':
    case '-h':
      return { command: 'help' };
    case 'help':
      return parseHelp(rest);
    case '--version':
    case '-v':
      return { command: 'version' };
    case 'demo':
      return parseDemo(rest);
    case 'publish':
      return parsePublish(rest, environment);
    case 'serve':
      return parseServe(rest);
    case 'probe':
      return parseProbe(rest);
    case 'bench':
      return parseBench(rest);
    default:
      throw usageError(`unknown command "${name}": use demo, publish, serve, probe or bench`);
  }
}

function parseHelp([topic, ...more]: readonly string[]): Command {
  if (topic === undefined) return { command: 'help' };
  const known = HELP_TOPICS.find((name) => name === topic);
  if (known !== undefined && more.length === 0) return { command: 'help', topic: known };
  throw usageError(`there is no help on "${[topic, ...more].join(' ')}": use ${HELP_TOPICS.join(', ')}`);
}

function parseDemo(args: readonly string[]): Command {
  const { values, positionals } = checked(() =>
    parseArgs({ args: [...args], options: DEMO_OPTIONS, allowPositionals: true }),
  );
  if (values.help === true) return { command: 'help', topic: 'demo' };
  return {
    command: 'demo',
    sources: positionals,
    port: values.port === undefined ? DEFAULT_PORT : parsePort(values.port),
    bitrateBps: values.bitrate === undefined ? DEMO_BITRATE_BPS : parseBitrate(values.bitrate),
    ...parseEncoding(values),
    json: values.json ?? false,
  };
}

function parsePublish(args: readonly string[], environment: NodeJS.ProcessEnv): Command {
  const { values } = checked(() => parseArgs({ args: [...args], options: PUBLISH_OPTIONS }));
  if (values.help === true) return { command: 'help', topic: 'publish' };
  const sources = values.source ?? [];
  if (sources.length === 0) throw usageError('publish needs at least one --source, for example --source test');
  return {
    command: 'publish',
    sources,
    sfu: parseSfuAddress(values, environment),
    ...parseIce(values, environment),
    token: values.token ?? environment['FRAMELOCK_TOKEN'],
    codec: values.codec === undefined ? 'vp8' : parseCodec(values.codec),
    bitrateBps: values.bitrate === undefined ? PUBLISH_BITRATE_BPS : parseBitrate(values.bitrate),
    ...parseEncoding(values),
    json: values.json ?? false,
  };
}

function parseServe(args: readonly string[]): Command {
  const { values } = checked(() => parseArgs({ args: [...args], options: SERVE_OPTIONS }));
  if (values.help === true) return { command: 'help', topic: 'serve' };
  const { config, check = false } = values;
  if (config === undefined) throw usageError('serve needs --config FILE, for example --config robot.yaml');
  return { command: 'serve', config, check, json: true };
}

function parseProbe(args: readonly string[]): Command {
  const { values } = checked(() => parseArgs({ args: [...args], options: PROBE_OPTIONS }));
  if (values.help === true) return { command: 'help', topic: 'probe' };
  return { command: 'probe', json: values.json ?? false };
}

function parseBench(args: readonly string[]): Command {
  const { values, positionals } = checked(() =>
    parseArgs({ args: [...args], options: BENCH_OPTIONS, allowPositionals: true }),
  );
  if (values.help === true) return { command: 'help', topic: 'bench' };
  const [name, ...more] = positionals;
  if (more.length > 0) throw usageError(`bench runs one benchmark at a time, not "${positionals.join(' ')}"`);
  if (values.json === '') throw usageError('--json needs a file name, or - for the standard output');
  const { quick = false, json } = values;
  return { command: 'bench', name, quick, json: json === '-', file: json === '-' ? undefined : json };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (text.trim() !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw usageError(`--port ${text}: it must be a whole number from 0 to 65535`);
}

/** Bits per second, with an optional `k` or `M`. */
function parseBitrate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text);
  const scale = match?.[2] === 'M' ? 1e6 : match?.[2] === 'k' ? 1e3 : 1;
  const bitrateBps = Math.round(Number(match?.[1]) * scale);
  if (bitrateBps >= 1000 && bitrateBps <= 1e9) return bitrateBps;
  throw usageError(`--bitrate ${text}: give bits per second, for example 2500k or 4M`);
}

function parseCodec(text: string): VideoCodec {
  const codec = CODECS.find((known) => known === text.toLowerCase());
  if (codec !== undefined) return codec;
  throw usageError(`--codec ${text}: it must be one of ${CODECS.join(', ')}`);
}

/** Node's parser throws TypeErrors whose first sentence is fit for people. */
function checked<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const [sentence = 'bad arguments'] = describeError(error).split('. ');
    throw usageError(sentence, error);
  }
}
