import type { Clock } from '../core/clock.js';
import { FileSource } from './file/file-source.js';
import type { FrameSource } from './frame-source.js';
import type { SourceSpec } from './source-spec.js';
import { TestPatternSource } from './test-pattern/test-pattern-source.js';

/** What a source needs besides its spec. */
export interface SourceOptions {
  /** Shown in a test pattern. */
  readonly label: string;
  /** Integer from 0 to 255: the colours and the bar code of a test pattern. */
  readonly cameraId: number;
  readonly clock: Clock;
}

/**
 * The source that a spec names, not started yet. Files are looped.
 * @throws FramelockError INVALID_ARGUMENT
 */
export function createSource(spec: SourceSpec, options: SourceOptions): FrameSource {
  const { label, cameraId, clock } = options;
  if (spec.kind === 'file') return new FileSource({ location: spec.location, clock });
  const { width, height, framerate } = spec;
  return new TestPatternSource({ width, height, framerate, label, cameraId, clock });
}
