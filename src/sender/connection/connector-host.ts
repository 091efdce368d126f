import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { MediaTransportFactory, TransportState } from '../../transport/media-transport.js';
import type { SendPath } from '../outbound/send-path.js';
import type { Track } from '../tracks/track.js';

/** What the connector needs from its sender. */
export interface ConnectorHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly createTransport: MediaTransportFactory;
  /** The tracks that exist now, in the order in which they were added. */
  tracks(): readonly Track[];
  stateChanged(state: TransportState, reason?: string): void;
  /** Is told of the connections that packets take. */
  readonly path: Pick<
    SendPath,
    'wantsFeedback' | 'feedbackAgreed' | 'rerouted' | 'isEmpty' | 'handOver' | 'disconnected'
  >;
  /** What comes from now on is of another peer, or of another session with the same one. */
  peerChanged(): void;
  rtcpReceived(compound: Uint8Array): void;
  /** The peer has said which encodings it takes. */
  encodingsAgreed(): void;
  /** Hears of what comes from connections after their end. */
  readonly late: LateCompletionObserver;
}
