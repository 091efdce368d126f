import { type Clock, SystemClock } from '../core/clock.js';
import { silentLogger } from '../core/logger.js';
import type { VideoEncoderFactory } from '../encoder/encoder.js';
import { FallbackEncoderFactory } from '../encoder/fallback-encoder-factory.js';
import { IsolatedEncoderFactory } from '../encoder/isolation/isolated-encoder-factory.js';
import type { HardwareEncoder } from '../encoder/node-av/hardware-profiles.js';
import { NodeAvAudioEncoderFactory } from '../encoder/node-av/node-av-audio-encoder-factory.js';
import { NodeAvEncoderFactory } from '../encoder/node-av/node-av-encoder-factory.js';
import { RtcSender } from '../sender/rtc-sender.js';
import type { RtcSenderOptions } from '../sender/sender-options.js';
import { createWeriftTransportFactory } from '../transport/werift/werift-transport-factory.js';

/** Options of {@link createSender}: those of {@link RtcSender}, with the back ends filled in where they are left out. */
export type CreateSenderOptions = Omit<RtcSenderOptions, 'encoders' | 'transport'> &
  Partial<Pick<RtcSenderOptions, 'encoders' | 'transport'>> & {
    /**
     * Hardware that is tried for H.264, in this order, before software; see {@link HardwareEncoder}. Without effect where `encoders` is given.
     * @default none
     */
    readonly hardwareEncoders?: readonly HardwareEncoder[];
    /**
     * `process`: each video encoder runs in a process of its own, so that a crash of native code costs one track a moment, and not the vehicle its
     * cameras. Without effect where `encoders` is given. @default 'none'
     */
    readonly isolation?: 'none' | 'process';
  };

/** Makes a sender with the default back ends: FFmpeg's encoders through node-av, WebRTC through werift. */
export function createSender(options: CreateSenderOptions = {}): RtcSender {
  const { hardwareEncoders, isolation, ...senderOptions } = options;
  const clock = options.clock ?? new SystemClock();
  return new RtcSender({
    ...senderOptions,
    clock,
    encoders: options.encoders ?? defaultEncoders({ ...options, clock }),
    audioEncoders: options.audioEncoders ?? new NodeAvAudioEncoderFactory(),
    transport: options.transport ?? createWeriftTransportFactory({ clock }),
  });
}

function defaultEncoders(options: CreateSenderOptions & { readonly clock: Clock }): VideoEncoderFactory {
  const { hardwareEncoders = [], isolation = 'none', clock, logger = silentLogger } = options;
  const factoryOf = (hardware?: HardwareEncoder): VideoEncoderFactory =>
    isolation === 'process'
      ? new IsolatedEncoderFactory({ clock, ...(hardware === undefined ? {} : { hardware }) })
      : new NodeAvEncoderFactory(hardware);
  const software = factoryOf();
  if (hardwareEncoders.length === 0) return software;
  return new FallbackEncoderFactory([...hardwareEncoders.map(factoryOf), software], { clock, logger });
}
