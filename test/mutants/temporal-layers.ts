import type { Mutant } from './mutant.js';

const guarantee = 'wire';
const VP8 = 'src/rtp/vp8-packetizer.ts';
const VP9 = 'src/rtp/vp9-packetizer.ts';
const VP8_TESTS = ['rtp/vp8-packetizer'];
const VP9_TESTS = ['rtp/vp9-packetizer'];
const ENCODER_TESTS = ['encoder/temporal-layers'];
const SENDER_TESTS = ['sender/temporal-layers'];

/** Frames that can be left out, and what tells them from the others. */
export const TEMPORAL_LAYER_MUTANTS: readonly Mutant[] = [
  {
    name: 'upper-frames-that-others-depend-on',
    guarantee,
    file: 'src/encoder/single-flight-encoder.ts',
    find: '      discardable: plannedLayerId > 0,',
    replace: '      discardable: plannedLayerId > 1,',
    tests: ENCODER_TESTS,
  },
  {
    name: 'key-frame-in-an-upper-layer',
    guarantee,
    file: 'src/encoder/temporal-layers.ts',
    find: '    if (keyFrame) this.#place = 0;\n',
    replace: '',
    tests: ENCODER_TESTS,
  },
  {
    name: 'other-scene-that-is-kept-named-as-one-to-leave-out',
    guarantee,
    file: 'src/encoder/single-flight-encoder.ts',
    find: 'const temporalLayerId = discardable ? plannedLayerId : 0;',
    replace: 'const temporalLayerId = discardable ? plannedLayerId : plannedLayerId;',
    tests: ENCODER_TESTS,
  },
  {
    name: 'other-scene-in-the-middle-of-the-pattern',
    guarantee,
    file: 'src/encoder/temporal-layers.ts',
    find: '((layer === 0 ? 0 : this.#place) + 1)',
    replace: '((layer < 0 ? 0 : this.#place) + 1)',
    tests: ENCODER_TESTS,
  },
  {
    name: 'frame-that-is-left-out-takes-its-place-along',
    guarantee,
    file: 'src/encoder/single-flight-encoder.ts',
    find: '    if (settings === undefined) return undefined;\n',
    replace:
      '    if (settings === undefined) {\n      this.#layers.advance(plannedLayerId);\n      return undefined;\n    }\n',
    tests: ENCODER_TESTS,
  },
  {
    name: 'layers-of-a-codec-without',
    guarantee,
    file: 'src/encoder/validate-frame.ts',
    find: '  assertCodecHasLayers(config);\n',
    replace: '',
    tests: ENCODER_TESTS,
  },
  {
    name: 'layers-silently-left-out-by-a-back-end',
    guarantee,
    file: 'src/encoder/node-av/node-av-encoder-factory.ts',
    find: '    assertNoLayers(config,',
    replace: "    if (config.codec === 'av1') assertNoLayers(config,",
    tests: ENCODER_TESTS,
  },
  {
    name: 'back-end-blamed-for-layers-that-it-does-not-have',
    guarantee,
    file: 'src/encoder/fallback-encoder-factory.ts',
    find: "if (!isFramelockError(error, 'NOT_SUPPORTED')) this.#passOver(codec, place, error);",
    replace: 'this.#passOver(codec, place, error);',
    tests: ENCODER_TESTS,
  },
  {
    name: 'upper-frames-as-large-as-the-others',
    guarantee: 'congestion',
    file: 'src/encoder/quantizer-rate-control.ts',
    find: 'this.#layer.share * share * this.#fairBytes()',
    replace: 'share * this.#fairBytes()',
    tests: ENCODER_TESTS,
  },
  {
    name: 'layers-share-a-model-of-their-sizes',
    guarantee: 'congestion',
    file: 'src/encoder/quantizer-rate-control.ts',
    find: 'this.#layers = [layer(base), ...upper.map(layer)];',
    replace:
      'const { model } = layer(base);\n    this.#layers = [{ share: base, model }, ...upper.map((share) => ({ share, model }))];',
    tests: ENCODER_TESTS,
  },
  {
    name: 'tl0picidx-goes-up-with-every-frame',
    guarantee,
    file: VP8,
    find: 'temporalLayerId === 0 ? (this.#baseIndex + 1) & 0xff',
    replace: 'temporalLayerId !== undefined ? (this.#baseIndex + 1) & 0xff',
    tests: VP8_TESTS,
  },
  {
    name: 'tl0picidx-spent-on-a-frame-that-is-refused',
    guarantee,
    file: VP8,
    find: '    const descriptor = this.#descriptor(temporalLayerId, baseIndex);\n',
    replace: '    const descriptor = this.#descriptor(temporalLayerId, baseIndex);\n    this.#baseIndex = baseIndex;\n',
    tests: VP8_TESTS,
  },
  {
    name: 'upper-frame-of-which-a-receiver-waits-for-others',
    guarantee,
    file: VP8,
    find: '(isUpper ? LAYER_SYNC : 0)',
    replace: '(isUpper ? 0 : LAYER_SYNC)',
    tests: VP8_TESTS,
  },
  {
    name: 'upper-frame-named-as-a-reference',
    guarantee,
    file: VP9,
    find: '    if (temporalLayerId === 0) this.#basePictureId = this.#pictureId;\n',
    replace: '    this.#basePictureId = this.#pictureId;\n',
    tests: VP9_TESTS,
  },
  {
    name: 'layer-lost-between-encoder-and-packets',
    guarantee,
    file: 'src/sender/encoding/encoder-stream.ts',
    find: '      ...(chunk.svc === undefined ? {} : { svc: chunk.svc }),\n',
    replace: '',
    tests: SENDER_TESTS,
  },
  {
    name: 'layers-of-an-encoding-not-asked-for',
    guarantee,
    file: 'src/sender/tracks/camera-layer.ts',
    find: '      ...(scalabilityMode === undefined ? {} : { scalabilityMode }),\n',
    replace: '',
    tests: SENDER_TESTS,
  },
  {
    name: 'layers-of-a-codec-without-refused-too-late',
    guarantee,
    file: 'src/sender/tracks/camera-layer.ts',
    find: '    this.check(() => assertCodecHasLayers(this.#config));\n',
    replace: '',
    tests: SENDER_TESTS,
  },
  {
    name: 'base-frames-thrown-away-with-stale-upper-ones',
    guarantee: 'congestion',
    file: 'src/congestion/pacer.ts',
    find: "if (packet.kind !== 'video' || packet.isDiscardable === true) continue;",
    replace: "if (packet.kind !== 'video') continue;",
    tests: ['congestion/send-side'],
  },
  {
    name: 'stale-upper-frames-are-sent',
    guarantee: 'congestion',
    file: 'src/congestion/send-side.ts',
    find: "((kind === 'retransmission' || isDiscardable) && sinceUs < oldestUs)",
    replace: "(kind === 'retransmission' && sinceUs < oldestUs)",
    tests: ['congestion/send-side'],
  },
  {
    name: 'pacer-not-told-what-nobody-needs',
    guarantee: 'send path',
    file: 'src/sender/outbound/outbound-rtp.ts',
    find: 'isDiscardable: temporalLayerId !== undefined && temporalLayerId > 0,',
    replace: 'isDiscardable: temporalLayerId !== undefined && temporalLayerId > 9,',
    tests: SENDER_TESTS,
  },
  {
    name: 'key-frame-awaited-after-a-frame-that-nobody-needs',
    guarantee: 'send path',
    file: 'src/sender/outbound/outbound-stream.ts',
    find: "if (fate.reason === 'congestion' && !discardable)",
    replace: "if (fate.reason === 'congestion' && discardable !== undefined)",
    tests: SENDER_TESTS,
  },
];
