import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { Random } from '../../core/random.js';
import type { RtcSender } from '../../sender/rtc-sender.js';
import type { Signaller } from '../../signalling/signaller.js';
import type { FrameSource } from '../../source/frame-source.js';
import type { PacketTap } from '../dashboard/tapped-transport.js';
import type { PublisherSpec, SfuSpec, TrackSpec } from '../schema/publisher-schema.js';
import type { SourceSupervision } from '../supervision/source-supervision.js';

/** What publishers are made of: the parts that touch the world. */
export interface PublisherParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A sender for a publisher, not connected, whose packets a tap looks on at. @throws FramelockError as `RtcSender` */
  createSender(spec: PublisherSpec, logger: Logger, tap: PacketTap): RtcSender;
  /** The source that a text names, not started. @throws FramelockError USAGE, INVALID_ARGUMENT */
  createSource(source: string, track: { readonly label: string; readonly cameraId: number }): FrameSource;
  /** How the source of a track is watched over. @throws FramelockError USAGE */
  superviseSource(track: TrackSpec): SourceSupervision;
  /** @throws FramelockError INVALID_ARGUMENT */
  createSignaller(sfu: SfuSpec): Signaller;
}
