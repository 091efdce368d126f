import type { Chance } from './chance.js';
import type { Events } from './events.js';
import type { Link, LinkPacket } from './link.js';
import { valueAt } from './scenario.js';

/** What happens to packets behind a bottleneck. */
export interface FarSide {
  readonly delayUs: number;
  /** Seconds, and milliseconds that come to the delay from then on. */
  readonly delaySteps?: readonly (readonly [number, number])[] | undefined;
  /** So many packets, 0 to 1, come 20 ms later and are overtaken. */
  readonly reorderedShare?: number | undefined;
  /** So many packets come twice, the second time 5 ms later. */
  readonly doubledShare?: number | undefined;
  /** Packets wait for one another for up to this long and come all at once, as over Wi-Fi. */
  readonly aggregationMs?: number | undefined;
}

const OVERTAKEN_BY_US = 20_000;
const DOUBLED_AFTER_US = 5_000;

/** A link with something behind it. */
export function farSide(events: Events, chance: Chance, link: Link, options: FarSide): Link {
  const { delayUs, delaySteps = [], reorderedShare = 0, doubledShare = 0, aggregationMs = 0 } = options;
  let inOrderUs = 0;
  let gateUs = 0;
  const happens = (share: number): boolean => share > 0 && chance.next() < share;
  const deliver = (arrive: () => void): void => {
    const { nowUs } = events;
    let atUs = nowUs + delayUs + valueAt(delaySteps, nowUs / 1e6) * 1000;
    if (aggregationMs > 0) {
      while (gateUs < atUs) gateUs += chance.uniform(0.3, 1) * aggregationMs * 1000;
      atUs = gateUs;
    }
    if (happens(reorderedShare)) {
      events.at(atUs + OVERTAKEN_BY_US, arrive);
      return;
    }
    inOrderUs = Math.max(inOrderUs, atUs);
    events.at(inOrderUs, arrive);
    if (happens(doubledShare)) events.at(inOrderUs + DOUBLED_AFTER_US, arrive);
  };
  return Object.assign(Object.create(link) as Link, {
    send: (packet: LinkPacket) => link.send({ ...packet, arrive: () => deliver(packet.arrive) }),
  });
}
