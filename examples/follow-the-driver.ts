// A controller in a few lines: the camera that the driver looks through gets most of the bitrate, the others keep a little, and a parked
// vehicle sends one camera only. Plug its `gear` into whatever the vehicle says.
import type { BitrateAllocation, RtcSender } from '../src/index.js';

export type Gear = 'park' | 'drive' | 'reverse';

const ALLOCATIONS: Readonly<Record<Gear, BitrateAllocation>> = {
  drive: { front: 6, left: 1, right: 1, rear: 1 },
  reverse: { rear: 6, left: 2, right: 2, front: 1 },
  // Left out is paused: the camera costs nothing until it is named again, and starts with a key frame then.
  park: { front: 1 },
};

/** Divides the bitrate for a gear. All or nothing: if a camera cannot be woken, everything stays as it was and the error says why. */
export async function followGear(sender: RtcSender, gear: Gear): Promise<void> {
  await sender.setBitrateAllocation(ALLOCATIONS[gear]);
}
