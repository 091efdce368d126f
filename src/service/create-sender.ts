import { SystemClock } from '../core/clock.js';
import { NodeAvAudioEncoderFactory } from '../encoder/node-av/node-av-audio-encoder-factory.js';
import { NodeAvEncoderFactory } from '../encoder/node-av/node-av-encoder-factory.js';
import { RtcSender } from '../sender/rtc-sender.js';
import type { RtcSenderOptions } from '../sender/sender-options.js';
import { createWeriftTransportFactory } from '../transport/werift/werift-transport-factory.js';

/** Options of {@link createSender}: those of {@link RtcSender}, with the back ends filled in where they are left out. */
export type CreateSenderOptions = Omit<RtcSenderOptions, 'encoders' | 'transport'> &
  Partial<Pick<RtcSenderOptions, 'encoders' | 'transport'>>;

/** Makes a sender with the default back ends: FFmpeg's encoders through node-av, WebRTC through werift. */
export function createSender(options: CreateSenderOptions = {}): RtcSender {
  const clock = options.clock ?? new SystemClock();
  return new RtcSender({
    ...options,
    clock,
    encoders: options.encoders ?? new NodeAvEncoderFactory(),
    audioEncoders: options.audioEncoders ?? new NodeAvAudioEncoderFactory(),
    transport: options.transport ?? createWeriftTransportFactory({ clock }),
  });
}
