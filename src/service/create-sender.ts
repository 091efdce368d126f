import { type Clock, SystemClock } from '../core/clock.js';
import { silentLogger } from '../core/logger.js';
import type { VideoEncoderFactory } from '../encoder/encoder.js';
import { FallbackEncoderFactory } from '../encoder/fallback-encoder-factory.js';
import { IsolatedEncoderFactory } from '../encoder/isolation/isolated-encoder-factory.js';
import { NativeCodecEncoderFactory } from '../encoder/native-codecs/native-codec-encoder-factory.js';
import type { HardwareEncoder } from '../encoder/node-av/hardware-profiles.js';
import { NodeAvAudioEncoderFactory } from '../encoder/node-av/node-av-audio-encoder-factory.js';
import { NodeAvEncoderFactory } from '../encoder/node-av/node-av-encoder-factory.js';
import { RtcSender } from '../sender/rtc-sender.js';
import type { RtcSenderOptions } from '../sender/sender-options.js';
import {
  createWeriftTransportFactory,
  type WeriftTransportOptions,
} from '../transport/werift/werift-transport-factory.js';

/** Options of {@link createSender}: those of {@link RtcSender}, with the back ends filled in where they are left out. */
export type CreateSenderOptions = Omit<RtcSenderOptions, 'encoders' | 'transport'> &
  Partial<Pick<RtcSenderOptions, 'encoders' | 'transport'>> & {
    /** STUN and TURN servers. Without effect where `transport` is given. @default none */
    readonly iceServers?: WeriftTransportOptions['iceServers'];
    /** `relay`: everything goes by the TURN server. Without effect where `transport` is given. @default 'all' */
    readonly iceTransportPolicy?: WeriftTransportOptions['iceTransportPolicy'];
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

/**
 * Makes a sender with the default back ends: WebRTC through werift, FFmpeg's encoders through node-av, and before them libvpx and libaom themselves
 * where `npm run build:native` has built them and `FRAMELOCK_NATIVE=0` does not switch them off.
 * @throws FramelockError INVALID_ARGUMENT, INVALID_BITRATE
 */
export function createSender(options: CreateSenderOptions = {}): RtcSender {
  const { hardwareEncoders, isolation, iceServers, iceTransportPolicy, ...senderOptions } = options;
  const clock = options.clock ?? new SystemClock();
  return new RtcSender({
    ...senderOptions,
    clock,
    encoders: options.encoders ?? defaultEncoders({ ...options, clock }),
    audioEncoders: options.audioEncoders ?? new NodeAvAudioEncoderFactory(),
    transport:
      options.transport ??
      createWeriftTransportFactory({
        clock,
        ...(iceServers === undefined ? {} : { iceServers }),
        ...(iceTransportPolicy === undefined ? {} : { iceTransportPolicy }),
        ...(options.logger === undefined ? {} : { logger: options.logger }),
      }),
  });
}

function defaultEncoders(options: CreateSenderOptions & { readonly clock: Clock }): VideoEncoderFactory {
  const { hardwareEncoders = [], isolation = 'none', clock, logger = silentLogger } = options;
  const isIsolated = isolation === 'process';
  const factoryOf = (hardware?: HardwareEncoder): VideoEncoderFactory =>
    isIsolated
      ? new IsolatedEncoderFactory({ clock, ...(hardware === undefined ? {} : { hardware }) })
      : new NodeAvEncoderFactory(hardware);
  const nativeOf = (native: NativeCodecEncoderFactory): VideoEncoderFactory =>
    isIsolated ? new IsolatedEncoderFactory({ clock, native }) : native;
  const native = NativeCodecEncoderFactory.load(logger);
  const order = [...hardwareEncoders.map(factoryOf), ...(native === undefined ? [] : [nativeOf(native)]), factoryOf()];
  const [only] = order;
  return order.length === 1 && only !== undefined ? only : new FallbackEncoderFactory(order, { clock, logger });
}
