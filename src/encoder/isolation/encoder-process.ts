// The process of one isolated encoder: see isolated-encoder-factory.ts. It lives until it is told to close or its parent is gone.
import { readSync } from 'node:fs';
import { describeError, isFramelockError } from '../../core/errors.js';
import type { VideoEncoder, VideoEncoderConfig, VideoEncoderFactory } from '../encoder.js';
import { NativeCodecEncoderFactory } from '../native-codecs/native-codec-encoder-factory.js';
import { NodeAvEncoderFactory } from '../node-av/node-av-encoder-factory.js';
import { pictureBytes } from '../validate-frame.js';
import type { RawVideoFrame } from '../video-frame.js';
import { type EncoderAnswer, type EncoderRequest, SLOT_FD } from './encoder-messages.js';

let encoder: VideoEncoder | undefined;
let picture = new Uint8Array();
let waiting: RawVideoFrame | undefined;

process.on('message', (request: EncoderRequest) => void serve(request));
process.once('disconnect', () => process.exit());
// Ctrl-C in a terminal and the stop of a service reach the whole group: the parent drains first, and then ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

async function serve(request: EncoderRequest): Promise<void> {
  try {
    const answer = await perform(request);
    if (answer === undefined) process.disconnect();
    else say(answer);
  } catch (error) {
    const code = isFramelockError(error) ? error.code : 'ENCODER_FAILED';
    say({ kind: 'failed', code, message: describeError(error) });
  }
}

async function perform(request: EncoderRequest): Promise<EncoderAnswer | undefined> {
  switch (request.kind) {
    case 'open':
      return openEncoder(factoryFor(request), request.config);
    case 'encode':
      return encode(request);
    case 'close':
      await encoder?.close();
      return undefined;
  }
}

function factoryFor({ native, hardware }: Extract<EncoderRequest, { kind: 'open' }>): VideoEncoderFactory {
  if (!native) return new NodeAvEncoderFactory(hardware);
  const factory = NativeCodecEncoderFactory.load();
  if (factory === undefined) throw new Error('the native encoders are gone');
  return factory;
}

async function openEncoder(factory: VideoEncoderFactory, config: VideoEncoderConfig): Promise<EncoderAnswer> {
  picture = new Uint8Array(pictureBytes(config.width, config.height));
  encoder = await factory.open(config, {
    take: () => {
      const frame = waiting;
      waiting = undefined;
      return frame;
    },
  });
  return { kind: 'opened', implementation: encoder.implementation };
}

async function encode(request: Extract<EncoderRequest, { kind: 'encode' }>): Promise<EncoderAnswer> {
  if (encoder === undefined) throw new Error('the encoder is not open');
  const { width, height, format = 'I420' } = encoder.config;
  // Synchronous: there is nothing else to do here meanwhile.
  for (let at = 0; at < picture.byteLength; ) {
    const bytesRead = readSync(SLOT_FD, picture, at, picture.byteLength - at, at);
    if (bytesRead === 0) throw new Error('the slot holds less than a picture');
    at += bytesRead;
  }
  waiting = { format, codedWidth: width, codedHeight: height, data: picture, timestamp: request.timestamp };
  encoder.setBitrate(request.bitrateBps);
  if (request.keyFrame) encoder.forceKeyFrame();
  const result = await encoder.read();
  const { limitation: now } = encoder;
  const limitation = now === undefined ? {} : { limitation: now };
  if (result.kind !== 'chunk') return { kind: 'skipped', ...limitation };
  const { data, type, quantizer, svc } = result.chunk;
  const copy = new Uint8Array(data);
  result.chunk.release();
  return {
    kind: 'chunk',
    data: copy,
    type,
    ...(quantizer === undefined ? {} : { quantizer }),
    ...(svc === undefined ? {} : { svc }),
    ...limitation,
  };
}

function say(answer: EncoderAnswer): void {
  if (process.connected) process.send?.(answer);
}
