import { type Clock, SystemClock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { VideoEncoderFactory } from '../encoder/encoder.js';
import { FallbackEncoderFactory } from '../encoder/fallback-encoder-factory.js';
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
  };

/** Makes a sender with the default back ends: FFmpeg's encoders through node-av, WebRTC through werift. */
export function createSender(options: CreateSenderOptions = {}): RtcSender {
  const { hardwareEncoders = [], ...senderOptions } = options;
  const clock = options.clock ?? new SystemClock();
  return new RtcSender({
    ...senderOptions,
    clock,
    encoders: options.encoders ?? defaultEncoders(hardwareEncoders, clock, options.logger),
    audioEncoders: options.audioEncoders ?? new NodeAvAudioEncoderFactory(),
    transport: options.transport ?? createWeriftTransportFactory({ clock }),
  });
}

function defaultEncoders(hardware: readonly HardwareEncoder[], clock: Clock, logger?: Logger): VideoEncoderFactory {
  const software = new NodeAvEncoderFactory();
  if (hardware.length === 0) return software;
  const factories = [...hardware.map((kind) => new NodeAvEncoderFactory(kind)), software];
  return new FallbackEncoderFactory(factories, { clock, ...(logger === undefined ? {} : { logger }) });
}
