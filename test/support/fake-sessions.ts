import type { Signaller } from '../../src/signalling/signaller.js';

/** A session at {@link FakeSessions}. */
export interface FakeSession {
  /** The tracks of its offer, in their order. */
  readonly tracks: readonly string[];
  /** Tells the sender that the server has ended it. */
  readonly lose: (reason: string) => void;
}

/** A server of sessions that cannot grow, and can stand side by side. */
export class FakeSessions {
  /** Those that are open now, the oldest first. */
  readonly open: FakeSession[] = [];
  /** Whatever was offered, also if it was refused. */
  readonly offers: string[] = [];
  /** The most that were open at a time. */
  most = 0;
  /** Throws to refuse an offer, or holds it up. */
  refuse: (tracks: readonly string[]) => Promise<void> | void = () => undefined;
  /** Holds up the end of a session. */
  ending: () => Promise<void> = async () => undefined;

  signaller(): Signaller {
    let session: FakeSession | undefined;
    let lose: (reason: string) => void = () => undefined;
    return {
      description: 'fake sessions',
      canRenegotiate: false,
      watch: (lost) => {
        lose = lost;
      },
      offer: async (sdp) => {
        const tracks = sdp.replace('offer of ', '').split(' ');
        this.offers.push(tracks.join(' '));
        await this.refuse(tracks);
        session = { tracks, lose };
        this.open.push(session);
        this.most = Math.max(this.most, this.open.length);
        return { sdp: 'answer' };
      },
      beside: () => this.signaller(),
      close: async () => {
        const ended = session;
        session = undefined;
        if (ended === undefined) return { confirmed: true };
        await this.ending();
        this.open.splice(this.open.indexOf(ended), 1);
        return { confirmed: true };
      },
    };
  }
}
