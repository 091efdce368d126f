import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { AudioEncoder, AudioEncoderConfig, AudioEncoderFactory } from '../../src/encoder/audio-encoder.js';
import type { RawAudioData } from '../../src/encoder/audio-frame.js';
import type { FrameInput } from '../../src/encoder/encoder.js';
import { NodeAvAudioEncoderFactory } from '../../src/encoder/node-av/node-av-audio-encoder-factory.js';
import { createSender } from '../../src/service/create-sender.js';
import type { MediaTransportFactory } from '../../src/transport/media-transport.js';
import { createWeriftTransportFactory } from '../../src/transport/werift/werift-transport-factory.js';
import { NativePeer, type SoundStats } from '../support/native-peer.js';
import { voice } from '../support/sound.js';

const clock = new SystemClock();
const SECONDS = 5;
const PORTION = 480;
const BITRATE_BPS = 32_000;

/** Encoders that prepare for one loss and keep to it, and to one rate, whatever the receiver reports. */
class ConstantEncoders implements AudioEncoderFactory {
  readonly name = 'constant';
  readonly #expectedLoss: number;
  readonly #inner = new NodeAvAudioEncoderFactory();

  constructor(expectedLoss: number) {
    this.#expectedLoss = expectedLoss;
  }

  async open(config: AudioEncoderConfig, input: FrameInput<RawAudioData>): Promise<AudioEncoder> {
    const own = { ...config, bitrateBps: BITRATE_BPS, expectedLoss: this.#expectedLoss };
    const encoder = await this.#inner.open(own, input);
    return Object.assign(encoder, { setBitrate: () => undefined, setExpectedLoss: () => undefined });
  }
}

/** Loses every fifth packet, and whenever it is sent again. */
const losing: MediaTransportFactory = (observer) => {
  const transport = createWeriftTransportFactory({ clock, bindAddresses: ['127.0.0.1'] })(observer);
  const send = transport.sendRtp.bind(transport);
  transport.sendRtp = (header, payload) => header.sequenceNumber % 5 === 0 || send(header, payload);
  return transport;
};

/** Speaks to a native peer with packets lost on the way; what the peer made of it. */
async function speak(expectedLoss: number): Promise<SoundStats> {
  const peer = new NativePeer(() => clock.nowUs());
  const sender = createSender({ clock, transport: losing, audioEncoders: new ConstantEncoders(expectedLoss) });
  try {
    await sender.addAudioTrack({ id: 'mic', numberOfChannels: 1 });
    await sender.connect(peer.negotiate);
    const samples = voice(SECONDS * 48_000);
    const startUs = clock.nowUs();
    for (let at = 0; at < samples.length; at += PORTION) {
      const timestamp = startUs + Math.round((at / 48) * 1000);
      const waitMs = (timestamp - clock.nowUs()) / 1000;
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      const data = new Uint8Array(samples.slice(at, at + PORTION).buffer);
      const format = { format: 's16', sampleRate: 48_000, numberOfChannels: 1, numberOfFrames: PORTION } as const;
      sender.sendAudio('mic', { ...format, data, timestamp });
    }
    return await peer.soundStats();
  } finally {
    await sender.close();
    peer.close();
  }
}

describe('in-band FEC', () => {
  it('gives a native libwebrtc peer most of a voice back of which every fifth packet is lost', async () => {
    const without = await speak(0);
    const withFec = await speak(0.2);
    const concealed = ({ concealedSamples, totalSamplesReceived }: SoundStats) =>
      `${((100 * concealedSamples) / totalSamplesReceived).toFixed(1)} % of the sound made up`;
    const used = withFec.fecPacketsReceived - withFec.fecPacketsDiscarded;
    console.info(`without FEC ${concealed(without)}, with it ${concealed(withFec)}, ${used} packets given back`);
    expect(without.fecPacketsReceived).toBe(0);
    expect(without.packetsLost).toBeGreaterThan((SECONDS * 50) / 5 / 2);
    expect(used).toBeGreaterThan(withFec.packetsLost / 2);
    expect(withFec.concealedSamples).toBeLessThan(without.concealedSamples * 0.6);
  });
});
