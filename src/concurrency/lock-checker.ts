import { FramelockError } from '../core/errors.js';
import type { AsyncContext } from './async-context.js';
import type { LockObserver, LockRequest, LockSide, ObservedLock } from './lock-observer.js';

/** Frames of the locks themselves, which are of no interest in an acquisition site. */
const LOCK_FRAME = /[\\/](?:rw-lock|lock-order|lock-checker|observer-group)\.[jt]s:/;
/** Where V8 puts the location in a stack frame: `at f (file:line:column)` or `at file:line:column`. */
const FRAME_LOCATION = /(?:\(|at (?:async )?)((?:file:\/\/)?[^()]+):(\d+):\d+\)?$/;
/** Enough to see past the locks' own frames. */
const SITE_STACK_DEPTH = 20;

/** A lock that is held now. Never changes, and stays the same object for as long as it is held. */
export interface HeldLock {
  readonly lock: ObservedLock;
  readonly side: LockSide;
  /** Who acquired it, `file:line`. */
  readonly site: string;
  /** When it was acquired, in microseconds of the lock's clock. */
  readonly sinceUs: number;
}

/** A request that waits now. Never changes. */
export interface WaitingLock {
  readonly lock: ObservedLock;
  readonly side: LockSide;
  /** Who made it, `file:line`. */
  readonly site: string;
  /** When it was made, in microseconds of the lock's clock. */
  readonly sinceUs: number;
  /** What its flow held when it was made, innermost first. */
  readonly holding: readonly HeldLock[];
}

/** The locks that a flow of code has entered, innermost first. Made by {@link LockChecker} alone. */
export interface LockChain {
  readonly held: HeldLock;
  readonly outer: LockChain | undefined;
}

/** How a {@link LockChecker} behaves. */
export interface LockCheckerOptions {
  /** Whether forbidden requests are refused, or only counted. @default true */
  readonly enforce?: boolean;
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
 * Costs a stack trace for each request: for tests and development, not for production. The books belong to the checker and change only as
 * the observed locks report.
 */
export class LockChecker implements LockObserver {
  readonly #context: AsyncContext<LockChain>;
  readonly #enforce: boolean;
  readonly #held = new Set<HeldLock>();
  readonly #waiting = new Set<WaitingLock>();
  #violations = 0;

  /** @param context reserved for this checker; all locks that may nest must share the checker */
  constructor(context: AsyncContext<LockChain>, { enforce = true }: LockCheckerOptions = {}) {
    this.#context = context;
    this.#enforce = enforce;
  }

  /** Forbidden nestings so far, also those whose error somebody caught. */
  get violations(): number {
    return this.#violations;
  }

  /** The locks held now, in order of acquisition. At rest, after a test or a close, each one is a leak. */
  held(): readonly HeldLock[] {
    return Array.from(this.#held);
  }

  /** The requests that wait now, in order of arrival. */
  waiting(): readonly WaitingLock[] {
    return Array.from(this.#waiting);
  }

  /** Runs `body`, and what it starts, as a flow that holds no lock: for work that a section starts but does not wait for. */
  detached<T>(body: () => T): T {
    return this.#context.run(undefined, body);
  }

  requested(lock: ObservedLock, side: LockSide, nowUs: number): LockRequest {
    const outer = this.#innermostHeld(this.#context.get());
    const holding = Array.from(this.#heldIn(outer));
    const request: WaitingLock = { lock, side, site: callSite(), sinceUs: nowUs, holding };
    for (const held of holding) this.#check(request, held);
    this.#waiting.add(request);
    let held: HeldLock | undefined;
    return {
      acquired: (sinceUs) => {
        this.#waiting.delete(request);
        held = { lock, side, site: request.site, sinceUs };
        this.#held.add(held);
      },
      abandoned: () => void this.#waiting.delete(request),
      run: (body) => this.#context.run(held && { held, outer }, body),
      released: () => {
        if (held !== undefined) this.#held.delete(held);
      },
    };
  }

  /** Skips sections that have ended: a callback scheduled inside one runs on with its chain. */
  #innermostHeld(chain: LockChain | undefined): LockChain | undefined {
    let link = chain;
    while (link !== undefined && !this.#held.has(link.held)) link = link.outer;
    return link;
  }

  *#heldIn(chain: LockChain | undefined): Iterable<HeldLock> {
    for (let link = chain; link !== undefined; link = this.#innermostHeld(link.outer)) yield link.held;
  }

  #check(wanted: WaitingLock, held: HeldLock): void {
    const fault = faultOf(wanted, held);
    if (fault === undefined) return;
    this.#violations += 1;
    if (!this.#enforce) return;
    const message = `${fault}: ${nameOf(wanted)} requested at ${wanted.site} while holding ${nameOf(held)} acquired at ${held.site}`;
    throw new FramelockError('LOCK_ORDER', message, {
      context: { requested: wanted.lock.name, requestSite: wanted.site, held: held.lock.name, heldSite: held.site },
    });
  }
}

/** Lock and side, as messages name them. */
export function nameOf({ lock, side }: HeldLock | WaitingLock): string {
  return `${lock.name} (${side})`;
}

function faultOf(wanted: WaitingLock, held: HeldLock): string | undefined {
  if (wanted.lock === held.lock) return 'Lock re-entered';
  if (wanted.lock.level <= held.lock.level) return 'Lock order inverted';
  if (wanted.side === 'read' || held.side === 'read') return 'Locks nested with a shared side';
  return undefined;
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
