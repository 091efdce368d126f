import { watchPath } from '../../source/path-watch.js';
import type { SourceSpec } from '../../source/source-spec.js';
import { type SupervisionPolicy, type SupervisionWishes, supervisionPolicy } from './supervision-policy.js';

/** How a source is watched over. */
export interface SourceSupervision {
  readonly policy: SupervisionPolicy;
  /** Tells when something changes where it is, until the returned function is called. Absent where that cannot be seen. */
  readonly watchPlace?: (changed: () => void) => () => void;
}

/** How a source of this kind is watched over. */
export function sourceSupervision(spec: SourceSpec, wishes: SupervisionWishes = {}): SourceSupervision {
  const policy = supervisionPolicy(spec, wishes);
  const path = pathOf(spec);
  return path === undefined ? { policy } : { policy, watchPlace: (changed) => watchPath(path, changed) };
}

/** Where it comes and goes. A Unix socket is made here. */
function pathOf(spec: SourceSpec): string | undefined {
  switch (spec.kind) {
    case 'v4l2':
      return spec.device;
    case 'pipe':
      return spec.path;
    case 'file':
      return spec.location.includes('://') ? undefined : spec.location;
    case 'unix':
    case 'test':
      return undefined;
  }
}
