export * from './bare.js';
export type { HardwareEncoder } from './encoder/node-av/hardware-profiles.js';
export { NodeAvAudioEncoderFactory } from './encoder/node-av/node-av-audio-encoder-factory.js';
export { NodeAvEncoderFactory } from './encoder/node-av/node-av-encoder-factory.js';
export { sizeThreadPool } from './encoder/node-av/thread-pool.js';
export type { LoopbackSfuOptions } from './loopback/loopback-sfu.js';
export { LoopbackSfu } from './loopback/loopback-sfu.js';
export type { CreateSenderOptions } from './service/create-sender.js';
export { createSender } from './service/create-sender.js';
