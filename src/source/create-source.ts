import type { Clock } from '../core/clock.js';
import { FileSource } from './file/file-source.js';
import { cameraLocation } from './file/media-location.js';
import type { FrameSource } from './frame-source.js';
import { FifoInput } from './raw-stream/fifo-input.js';
import { RawStreamSource } from './raw-stream/raw-stream-source.js';
import { SocketInput } from './raw-stream/socket-input.js';
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
  switch (spec.kind) {
    case 'file':
      return new FileSource({ location: spec.location, clock });
    case 'v4l2':
      return new FileSource({ location: cameraLocation(spec), clock });
    case 'pipe':
      return new RawStreamSource(new FifoInput(spec.path), clock);
    case 'unix':
      return new RawStreamSource(new SocketInput(spec.path), clock);
    case 'test': {
      const { width, height, framerate } = spec;
      return new TestPatternSource({ width, height, framerate, label, cameraId, clock });
    }
  }
}
