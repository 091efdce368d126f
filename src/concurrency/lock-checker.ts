import { FramelockError } from '../core/errors.js';
import type { AsyncContext } from './async-context.js';
import type { LockObserver, LockRequest, LockSide, ObservedLock } from './lock-observer.js';

/** Frames of the locks themselves, which are of no interest in an acquisition site. */
const LOCK_FRAME = /[\\/](?:rw-lock|lock-order|lock-checker)\.[jt]s:/;
/** Where V8 puts the location in a stack frame: `at f (file:line:column)` or `at file:line:column`. */
const FRAME_LOCATION = /(?:\(|at (?:async )?)((?:file:\/\/)?[^()]+):(\d+):\d+\)?$/;
/** Enough to see past the locks' own frames. */
const SITE_STACK_DEPTH = 20;

/** A lock that is held now. */
export interface HeldLock {
  readonly lock: string;
  readonly side: LockSide;
  /** Who acquired it, `file:line`. */
  readonly site: string;
  /** When it was acquired, in microseconds of the lock's clock. */
  readonly sinceUs: number;
}

/** The locks that a flow of code has entered, innermost first. Made by {@link LockChecker} alone. */
export interface LockChain {
  readonly hold: Hold;
  readonly outer: LockChain | undefined;
}

/**
 * Refuses, at the request, every use of locks that the order forbids and that types cannot see:
 * a lock requested again by a flow that holds it, a lock requested under one of its own or a higher level (inversion), and nesting other
 * than exclusive in exclusive. Each is a LOCK_ORDER whose message names both acquisition sites. This also covers a lock held across an
 * await of something that needs it, as long as that something was started inside the section.
 *
 * "Holding" follows the asynchronous flow: everything that a section starts counts as inside it while it lasts, also work that it does not
 * wait for. Start such work (loops, event dispatch) through {@link LockChecker.detached}. A flow that goes on after its section has ended
 * holds nothing.
 *
 * Costs a stack trace for each request: for tests and development, not for production. The set of holds belongs to the checker and changes
 * only as the observed locks report.
 */
export class LockChecker implements LockObserver {
  readonly #context: AsyncContext<LockChain>;
  readonly #held = new Set<Hold>();
  #violations = 0;

  /** @param context reserved for this checker; all locks that may nest must share the checker */
  constructor(context: AsyncContext<LockChain>) {
    this.#context = context;
  }

  /** Requests refused so far, also those whose error somebody caught. */
  get violations(): number {
    return this.#violations;
  }

  /** The locks held now. At rest, after a test or a close, each one is a leak. */
  held(): readonly HeldLock[] {
    return Array.from(this.#held, ({ lock, side, site, sinceUs }) => ({ lock: lock.name, side, site, sinceUs }));
  }

  /** Runs `body`, and what it starts, as a flow that holds no lock: for work that a section starts but does not wait for. */
  detached<T>(body: () => T): T {
    return this.#context.run(undefined, body);
  }

  requested(lock: ObservedLock, side: LockSide): LockRequest {
    const hold = new Hold(lock, side, callSite());
    const outer = innermostHeld(this.#context.get());
    for (let link = outer; link !== undefined; link = innermostHeld(link.outer)) this.#check(hold, link.hold);
    return {
      acquired: (nowUs) => {
        hold.sinceUs = nowUs;
        hold.held = true;
        this.#held.add(hold);
      },
      run: (body) => this.#context.run({ hold, outer }, body),
      released: () => {
        hold.held = false;
        this.#held.delete(hold);
      },
    };
  }

  #check(wanted: Hold, held: Hold): void {
    const fault = faultOf(wanted, held);
    if (fault === undefined) return;
    this.#violations += 1;
    const message = `${fault}: ${wanted} requested at ${wanted.site} while holding ${held} acquired at ${held.site}`;
    throw new FramelockError('LOCK_ORDER', message, {
      context: { requested: wanted.lock.name, requestSite: wanted.site, held: held.lock.name, heldSite: held.site },
    });
  }
}

/** One acquisition, or a request for one. `held` and `sinceUs` are written as the lock reports. */
class Hold {
  readonly lock: ObservedLock;
  readonly side: LockSide;
  readonly site: string;
  held = false;
  sinceUs = 0;

  constructor(lock: ObservedLock, side: LockSide, site: string) {
    this.lock = lock;
    this.side = side;
    this.site = site;
  }

  toString(): string {
    return `${this.lock.name} (${this.side})`;
  }
}

function faultOf(wanted: Hold, held: Hold): string | undefined {
  if (wanted.lock === held.lock) return 'Lock re-entered';
  if (wanted.lock.level <= held.lock.level) return 'Lock order inverted';
  if (wanted.side === 'read' || held.side === 'read') return 'Locks nested with a shared side';
  return undefined;
}

/** Skips sections that have ended: a callback scheduled inside one runs on with its chain. */
function innermostHeld(chain: LockChain | undefined): LockChain | undefined {
  let link = chain;
  while (link !== undefined && !link.hold.held) link = link.outer;
  return link;
}

/** `file:line` of the code outside the locks that made the request. */
function callSite(): string {
  const depth = Error.stackTraceLimit;
  Error.stackTraceLimit = SITE_STACK_DEPTH;
  const frames = new Error().stack?.split('\n').slice(1) ?? [];
  Error.stackTraceLimit = depth;
  for (const frame of frames) {
    const location = FRAME_LOCATION.exec(frame);
    if (location !== null && !LOCK_FRAME.test(frame)) return `${location[1]}:${location[2]}`;
  }
  return 'an unknown site';
}
