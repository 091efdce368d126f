import type { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import type { SignalledTrack } from '../signaller.js';
import { answerFragment, SentOffers } from '../socket/sent-offers.js';
import { AnnouncedTracks } from './announced-tracks.js';
import type { LiveKitConversation } from './livekit-conversation.js';
import { type OfferedMedia, readOffer, reorderRids, withCandidates } from './offered-media.js';
import { RemoteCandidates } from './remote-candidates.js';

/**
 * What a room is told of our media, and what it answers: tracks are announced, then offered; an ICE restart is an offer as well.
 *
 * Owner: the session, which lets one offer run at a time. All fields change in synchronous code only.
 */
export class PublisherExchange {
  readonly tracks = new AnnouncedTracks();
  readonly #clock: Clock;
  readonly #sent = new SentOffers();
  /** Of the server, since ICE began or was restarted. */
  #candidates: RemoteCandidates;
  #offers = 0;
  /** Of the m-line by which the bundle is known; empty until there was an offer. */
  #mid = '';

  /** @param clock whose timers end with the session */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#candidates = new RemoteCandidates(clock);
  }

  /** Whether a room can take what is offered. @throws FramelockError SIGNALLING_REJECTED */
  assertFits(sdp: string): void {
    const tooMany = AnnouncedTracks.tooManyEncodings(readOffer(sdp));
    if (tooMany === undefined) return;
    const message = `LiveKit: track "${tooMany}" has more encodings than the three that LiveKit knows`;
    throw new FramelockError('SIGNALLING_REJECTED', message, { context: { trackId: tooMany } });
  }

  /**
   * Resolves with the answer; the first one has the server's candidates in it. Later ones are of the same transport, and bring none that it does not have.
   * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED, the reason of `waiting`
   */
  async negotiate(
    conversation: LiveKitConversation,
    { sdp, tracks }: { readonly sdp: string; readonly tracks: readonly SignalledTrack[] },
    waiting: Lifetime,
  ): Promise<string> {
    const isFirst = this.#offers === 0;
    const offered = readOffer(sdp);
    await this.#announce(conversation, offered, tracks, waiting);
    this.#mid = offered[0]?.mid ?? this.#mid;
    const ordered = reorderRids(sdp, AnnouncedTracks.ascendingRids(offered, tracks));
    const answer = await this.#offer(conversation, this.#sent.next(ordered), waiting);
    return isFirst ? withCandidates(answer, await this.#candidates.enough(answer, waiting.signal)) : answer;
  }

  /**
   * Restarts ICE, and resolves with the server's parameters and candidates as a fragment.
   * @throws FramelockError as `negotiate`
   */
  async restart(conversation: LiveKitConversation, fragment: string, waiting: Lifetime): Promise<string> {
    this.#candidates = new RemoteCandidates(this.#clock);
    const answer = await this.#offer(conversation, this.#sent.restarted(fragment), waiting);
    return answerFragment(withCandidates(answer, await this.#candidates.enough(answer, waiting.signal)));
  }

  /** Tells of candidates of ours, as lines of SDP. */
  trickle(conversation: LiveKitConversation, lines: readonly string[]): void {
    for (const line of lines) {
      conversation.send({ kind: 'candidate', candidate: line.replace(/^a=/, ''), mid: this.#mid });
    }
  }

  /** A candidate of the server. */
  heard(candidate: { readonly candidate: string | undefined; readonly isLast: boolean }): void {
    this.#candidates.heard(candidate);
  }

  /** Each track that the room does not know of yet: an offer with one that was not announced would wait for it. */
  async #announce(
    conversation: LiveKitConversation,
    offered: readonly OfferedMedia[],
    tracks: readonly SignalledTrack[],
    waiting: Lifetime,
  ): Promise<void> {
    const fresh = this.tracks.offer(offered, tracks);
    const taken = this.tracks.untaken.map((cid) =>
      conversation.next('published', waiting.signal, (news) => news.cid === cid),
    );
    for (const track of fresh) conversation.send({ kind: 'announce', track });
    try {
      await Promise.all(taken);
    } catch (error) {
      // By another socket nobody will say that they were taken.
      if (conversation.lost !== undefined) this.tracks.refused();
      throw error;
    }
    if (!waiting.enter('announcement')) throw waiting.signal.reason;
  }

  async #offer(conversation: LiveKitConversation, sdp: string, waiting: Lifetime): Promise<string> {
    this.#offers += 1;
    const id = this.#offers;
    const answering = conversation.next('answer', waiting.signal, (news) => news.id === id || news.id === 0);
    conversation.send({ kind: 'offer', sdp, id });
    const { sdp: answer } = await answering;
    if (!waiting.enter('answer')) throw waiting.signal.reason;
    return answer;
  }
}
