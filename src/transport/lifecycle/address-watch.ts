import type { Clock, Timer } from '../../core/clock.js';

/** The way to the peer, as far as the machine's addresses matter to it. */
export interface WatchedRoute {
  /** The local address that it goes out from, where that is known. */
  readonly localAddress: string | undefined;
  /** Whether the peer is silent. */
  readonly isSilent: boolean;
}

/** What an {@link AddressWatch} works with. */
export interface AddressWatchInit {
  readonly clock: Clock;
  /** All addresses of all interfaces, now. */
  readonly addresses: () => readonly string[];
  readonly route: () => WatchedRoute;
  /** Another way to the peer is worth a try. */
  readonly moved: (reason: string) => void;
}

/** Asking the kernel takes some 50 us. */
const POLL_MS = 250;

/**
 * Notices that the machine has moved to another network. A change matters if it takes away the address that the connection goes out from, or
 * comes while the peer is silent: a route that works is left alone, whatever appears beside it.
 *
 * Owner of its state: the transport.
 */
export class AddressWatch {
  readonly #init: AddressWatchInit;
  #known: ReadonlySet<string> = new Set();
  /** The address of the route that is gone. */
  #lost: string | undefined;
  #timer: Timer | undefined;

  constructor(init: AddressWatchInit) {
    this.#init = init;
  }

  /** Idempotent. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#known = new Set(this.#init.addresses());
    this.#schedule();
  }

  /** Idempotent; nothing is asked or told afterwards. */
  stop(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer = this.#init.clock.setTimer(POLL_MS, () => {
      this.#check();
      this.#schedule();
    });
  }

  #check(): void {
    const known = this.#known;
    const present = new Set(this.#init.addresses());
    this.#known = present;
    const { localAddress, isSilent } = this.#init.route();
    if (localAddress !== undefined && known.has(localAddress) && !present.has(localAddress)) this.#lost = localAddress;
    const hasChanged = present.size !== known.size || [...present].some((address) => !known.has(address));
    if (!hasChanged) return;
    if (localAddress !== undefined && localAddress === this.#lost && !present.has(localAddress)) {
      this.#init.moved(`the machine no longer has the address ${localAddress}`);
    } else if (isSilent) {
      this.#init.moved("the machine's addresses changed while the peer was silent");
    }
  }
}
