// The child of peer-process.ts: a native peer for one connection of the sender after another, until its parent goes away.
import { SystemClock } from '../../../src/core/clock.js';
import { NativePeer } from '../native-peer.js';
import { admitH264, hideH264 } from './h264-admission.js';

/** A picture that was decoded, as it crosses the border of the process. */
export interface PeerPicture {
  /** Counts the peer connections. */
  readonly connection: number;
  /** The m-line that it came by. */
  readonly mid: string;
  /** What its bar code says; absent if there is none that can be read. */
  readonly code?: { readonly cameraId: number; readonly frameNumber: number };
}

/** An offer for the peer. */
export interface PeerRequest {
  readonly id: number;
  readonly offer: string;
}

/** What the peer says. */
export type PeerMessage =
  | { readonly kind: 'answer'; readonly id: number; readonly answer: string }
  | { readonly kind: 'refused'; readonly id: number; readonly reason: string }
  | { readonly kind: 'pictures'; readonly pictures: readonly PeerPicture[] };

const SEND_PICTURES_EVERY_MS = 100;

const clock = new SystemClock();
const pictures: PeerPicture[] = [];
let connections = 0;
let current: { readonly name: string; readonly peer: NativePeer } | undefined;

process.on('message', (request: PeerRequest) => void answer(request));
const sending = setInterval(sendPictures, SEND_PICTURES_EVERY_MS);
process.once('disconnect', () => {
  clearInterval(sending);
  current?.peer.close();
});

async function answer({ id, offer }: PeerRequest): Promise<void> {
  try {
    say({ kind: 'answer', id, answer: admitH264(offer, await peerFor(offer).negotiate(hideH264(offer))) });
  } catch (error) {
    say({ kind: 'refused', id, reason: String(error) });
  }
}

/** A transport keeps its ICE user name for life, so another name is another connection: the earlier one is over. */
function peerFor(offer: string): NativePeer {
  const name = /^a=ice-ufrag:(\S+)/m.exec(offer)?.[1] ?? '';
  if (current?.name === name) return current.peer;
  current?.peer.close();
  connections += 1;
  const connection = connections;
  const peer = new NativePeer(
    () => clock.nowUs(),
    (mid, { code }) => pictures.push({ connection, mid, ...(code === undefined ? {} : { code }) }),
  );
  current = { name, peer };
  return peer;
}

function sendPictures(): void {
  if (pictures.length > 0) say({ kind: 'pictures', pictures: pictures.splice(0) });
}

function say(message: PeerMessage): void {
  if (process.connected) process.send?.(message);
}
