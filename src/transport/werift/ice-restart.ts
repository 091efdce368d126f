import { boundedWait, type WaitBounds } from '../lifecycle/bounded-wait.js';
import type { RestartExchange } from '../media-transport.js';
import type { RemoteTransport } from '../sdp/answer-transport.js';
import { readIceFragment, writeIceFragment } from '../sdp/ice-fragment.js';
import type { MediaLine } from '../sdp/media-lines.js';
import type { IcePath } from './ice-path.js';

/** What a restart works on. */
export interface IceRestartInit {
  readonly path: IcePath;
  /** The m-lines that the peer has agreed to. */
  readonly lines: readonly MediaLine[];
  /** The peer until now. */
  readonly remote: RemoteTransport;
  readonly exchange: RestartExchange;
}

/**
 * One ICE restart from gathering to the nominated pair, bounded and cancellable in every phase. Resolves with the peer as it is from then on;
 * if it fails, the path is as before.
 * @throws FramelockError as `MediaTransport.restartIce`
 */
export async function restartIce(init: IceRestartInit, bounds: WaitBounds): Promise<RemoteTransport> {
  const over = new AbortController();
  try {
    return await boundedWait(run(init, over.signal), bounds);
  } finally {
    over.abort();
    init.path.abandonRestart();
  }
}

async function run({ path, lines, remote, exchange }: IceRestartInit, signal: AbortSignal): Promise<RemoteTransport> {
  const local = await path.prepareRestart();
  const restarted = readIceFragment(await exchange(writeIceFragment(local, lines), signal), remote);
  // Refuses if the restart was given up meanwhile.
  await path.completeRestart(restarted);
  return restarted;
}
