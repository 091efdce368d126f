import type { Logger } from '../../core/logger.js';
import type { RemoteTransport } from './answer-transport.js';

/** A name takes multicast DNS to look up; the peer's own checks, which need our addresses only, do without. */
export function logNamedCandidates(logger: Logger, { namedCandidates, candidates }: RemoteTransport): void {
  if (namedCandidates === 0) return;
  const context = { names: namedCandidates, addresses: candidates.length };
  logger.info('Candidates of the peer that are names were ignored: it is found by its own checks', context);
}
