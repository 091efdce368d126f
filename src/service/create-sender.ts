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
import type { MediaTransportFactory } from '../transport/media-transport.js';
import type { WeriftTransportOptions } from '../transport/werift/werift-transport-factory.js';
import { type TransportName, transportFactory } from './transport-choice.js';

/** Options of {@link createSender}: those of {@link RtcSender}, with the back ends filled in where they are left out. */
export type CreateSenderOptions = Omit<RtcSenderOptions, 'encoders' | 'transport'> &
  Partial<Pick<RtcSenderOptions, 'encoders'>> & {
    /**
     * `node-datachannel` is quicker to connect and takes less of the processor for each packet, but needs that package, cannot restart ICE, and notices later that
     * the peer is gone (docs/architecture.md). Or a transport of your own.
     * @default 'werift'
     */
    readonly transport?: TransportName | MediaTransportFactory;
    /** STUN and TURN servers. Without effect where `transport` is one of your own. @default none */
    readonly iceServers?: WeriftTransportOptions['iceServers'];
    /** `relay`: everything goes by the TURN server, with werift only. Without effect where `transport` is one of your own. @default 'all' */
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
 * Makes a sender with the default back ends: WebRTC through werift (or node-datachannel), FFmpeg's encoders through node-av, and before them libvpx and libaom themselves
 * where `npm run build:native` has built them and `FRAMELOCK_NATIVE=0` does not switch them off.
 * @throws FramelockError INVALID_ARGUMENT, INVALID_BITRATE, TRANSPORT_UNAVAILABLE
 */
export function createSender(options: CreateSenderOptions = {}): RtcSender {
  const {
    hardwareEncoders,
    isolation,
    iceServers,
    iceTransportPolicy,
    transport = 'werift',
    ...senderOptions
  } = options;
  const clock = options.clock ?? new SystemClock();
  return new RtcSender({
    ...senderOptions,
    clock,
    encoders: options.encoders ?? defaultEncoders({ ...options, clock }),
    audioEncoders: options.audioEncoders ?? new NodeAvAudioEncoderFactory(),
    transport:
      typeof transport === 'function'
        ? transport
        : transportFactory(transport, {
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
