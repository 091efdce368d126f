import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, SystemClock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import { ENCODER_CANDIDATES, type EncoderCandidate, type EncoderProbe, NOT_BUILT_IN } from './encoder-candidates.js';

/** How long one encoder may take to open and encode a frame, the start of its process included. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** What tells of a process that tries encoders. */
export interface ProbeObserver {
  /** In the order of the candidates that it was started with. */
  tried(probe: EncoderProbe): void;
  /** Once, and nothing afterwards. `how` completes "the process that tried it ...". */
  ended(how: string): void;
}

/** Starts a process that tries candidates one after the other; returns what ends it whatever it does, and may be called twice. */
export type LaunchProbe = (candidates: readonly EncoderCandidate[], observer: ProbeObserver) => () => void;

/** Options of {@link probeEncoders}. */
export interface ProbeEncodersOptions {
  /** Bound for each encoder, in milliseconds. @default 10000 */
  readonly timeoutMs?: number;
  /** Gives up. */
  readonly signal?: AbortSignal;
  /** @default every one that is known */
  readonly candidates?: readonly EncoderCandidate[];
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** @default a child process */
  readonly launch?: LaunchProbe;
}

/**
 * Tries which encoders work here. Each is really opened and given a frame, in a child process: a driver that crashes or hangs costs that
 * process, and the encoders behind it are tried in another. Takes a second or two where there is no such driver.
 *
 * @returns one probe for each candidate, in their order; of hardware encoders only those that this build of FFmpeg has
 * @throws FramelockError CLOSED if `signal` is aborted
 */
export async function probeEncoders(options: ProbeEncodersOptions = {}): Promise<readonly EncoderProbe[]> {
  const { candidates = ENCODER_CANDIDATES, signal } = options;
  const cancelled = (): boolean => signal?.aborted === true;
  const probes: EncoderProbe[] = [];
  while (probes.length < candidates.length) {
    if (cancelled()) throw new FramelockError('CLOSED', 'probing the encoders was cancelled');
    const { tried, reason } = await probeInOneProcess(candidates.slice(probes.length), options);
    probes.push(...tried);
    // The one after those that it reported on is what ended it.
    const culprit = candidates[probes.length];
    if (culprit !== undefined && !cancelled()) probes.push({ ...culprit, opens: false, reason });
  }
  return probes.filter(({ kind, reason }) => kind === 'software' || reason !== NOT_BUILT_IN);
}

interface OneProcess {
  readonly tried: readonly EncoderProbe[];
  /** How it ended. */
  readonly reason: string;
}

function probeInOneProcess(
  candidates: readonly EncoderCandidate[],
  { timeoutMs = DEFAULT_TIMEOUT_MS, signal, clock = new SystemClock(), launch = launchChild }: ProbeEncodersOptions,
): Promise<OneProcess> {
  return new Promise((resolve) => {
    const tried: EncoderProbe[] = [];
    let timedOut = false;
    const watch = () =>
      clock.setTimer(timeoutMs, () => {
        timedOut = true;
        kill();
      });
    let timer = watch();
    const kill = launch(candidates, {
      tried: (probe) => {
        tried.push(probe);
        timer.cancel();
        timer = watch();
      },
      ended: (how) => {
        timer.cancel();
        signal?.removeEventListener('abort', kill);
        resolve({ tried, reason: timedOut ? `no answer within ${timeoutMs} ms` : `the process that tried it ${how}` });
      },
    });
    signal?.addEventListener('abort', kill);
  });
}

/** The program that is forked, compiled or not as this file is. */
const CHILD = fileURLToPath(new URL(`./probe-child${extname(import.meta.url)}`, import.meta.url));

function launchChild(candidates: readonly EncoderCandidate[], observer: ProbeObserver): () => void {
  const child = fork(
    CHILD,
    candidates.map((candidate) => JSON.stringify(candidate)),
    // Some encoders write to the standard output whatever the log level.
    { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] },
  );
  let over = false;
  const ended = (how: string): void => {
    if (!over) observer.ended(how);
    over = true;
  };
  child.on('message', (probe: EncoderProbe) => observer.tried(probe));
  child.once('error', (error) => ended(`did not start: ${error.message}`));
  // Not `exit`, which may come before the last message.
  child.once('close', (code, signal) => ended(signal === null ? `ended with code ${code}` : `died of ${signal}`));
  return () => void child.kill('SIGKILL');
}
