import { isFramelockError } from '../../src/core/errors.js';
import { validateFrame } from '../../src/encoder/validate-frame.js';
import { layoutOf, MAX_PAYLOAD_BYTES, type RawFrameHeader } from '../../src/source/raw-stream/frame-header.js';
import { FrameStreamParser } from '../../src/source/raw-stream/frame-stream-parser.js';
import { type HeaderFields, headerOf, pictureOf } from '../support/frame-stream.js';
import type { FuzzRandom } from './fuzz-random.js';
import { demand, demandNumbers, type FuzzTarget, type Note } from './fuzz-target.js';
import { join, mutateBytes } from './mutate.js';

/** Pictures larger than this are told to be left out: they are about the header, and none that long is written here. */
const LARGEST_TAKEN_BYTES = 4096;
const SIDES = [2, 4, 16, 17, 0, 16_384, 16_385, 0xffff_ffff] as const;

/**
 * The reader of raw frames: streams of real headers and pictures, of headers with fields that cannot be but a true check sum, mutated and cut
 * anywhere. What it finds can be encoded; it asks for no more memory than a picture has; it ends with SOURCE_MALFORMED at the most.
 */
export class FramesTarget implements FuzzTarget {
  readonly stateful = false;
  #pictures = 0;
  #resyncs = 0;

  run(random: FuzzRandom, note: Note): string {
    const honest = random.chance(0.3);
    const parts = Array.from({ length: 1 + random.below(6) }, () => (honest ? picture(random) : part(random)));
    const whole = join(...parts);
    const stream = honest || random.chance(0.3) ? whole : mutateBytes(whole, random);
    note(stream);
    const found: RawFrameHeader[] = [];
    let target: Uint8Array | undefined;
    const parser = new FrameStreamParser(
      {
        begin: (header) => {
          check(header);
          target = header.payloadBytes <= LARGEST_TAKEN_BYTES ? new Uint8Array(header.payloadBytes) : undefined;
          return target;
        },
        complete: (header) => {
          checkEncodable(header, target);
          found.push(header);
        },
      },
      honest || random.chance(0.7),
    );
    try {
      for (let offset = 0; offset < stream.length; ) {
        const count = 1 + random.length(stream.length);
        parser.push(stream.subarray(offset, offset + count));
        offset += count;
      }
    } catch (error) {
      if (!isFramelockError(error, 'SOURCE_MALFORMED')) throw error;
      demand(!honest, () => `an honest stream was refused: ${error.message}`);
      return 'refused';
    }
    this.#pictures += found.length;
    this.#resyncs += parser.resyncs;
    demand(parser.bytesSkipped <= stream.length, () => `${parser.bytesSkipped} of ${stream.length} bytes skipped`);
    demand(!honest || found.length === parts.length, () => `${found.length} of ${parts.length} honest pictures found`);
    if (honest) return 'honest';
    return parser.resyncs > 0 ? 'resynchronised' : 'read';
  }

  async close(): Promise<Readonly<Record<string, string | number>>> {
    return { 'pictures found': this.#pictures, resyncs: this.#resyncs };
  }
}

/** A picture as an honest writer writes it. */
function picture(random: FuzzRandom): Uint8Array {
  const width = 2 * (1 + random.below(16));
  return pictureOf(random.below(256), {
    width,
    height: 2 * (1 + random.below(16)),
    stride: random.chance(0.3) ? width + 2 * random.below(8) : 0,
    format: random.pick(['I420', 'NV12']),
    captureClock: random.below(3),
    captureTimeUs: BigInt(random.uint32()) * 1000n,
    frameNumber: BigInt(random.uint32()),
    headerBytes: random.pick([64, 64, 72, 256]),
  });
}

/** A picture, a header that lies, or noise. */
function part(random: FuzzRandom): Uint8Array {
  if (random.chance(0.4)) return picture(random);
  if (random.chance(0.3)) return random.bytes(random.length(300));
  const fields: HeaderFields = {
    width: random.pick(SIDES),
    height: random.pick(SIDES),
    stride: random.pick(SIDES),
    version: random.pick([1, 1, 1, 0, 2, 65_535]),
    headerBytes: random.pick([64, 63, 68, 256, 257]),
    format: random.pick(['I420', 'NV12', 'YUY2', '\0\0\0\0']),
    framerateMillihertz: random.pick([0, 1, 240_000, 240_001, 0xffff_ffff]),
    captureClock: random.below(5),
    captureTimeUs: random.pick([0n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n]),
    frameNumber: random.pick([0n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n]),
    payloadBytes: random.pick([0, 6, 96, 384, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES + 1, 0xffff_ffff]),
  };
  return headerOf(fields);
}

function check(header: RawFrameHeader): void {
  demandNumbers(header);
  const { payloadBytes, framerate } = header;
  demand(payloadBytes > 0 && payloadBytes <= MAX_PAYLOAD_BYTES, () => `a picture of ${payloadBytes} bytes`);
  demand(framerate > 0 && framerate <= 240, () => `${framerate} frames per second`);
}

/** Encoders trust these numbers. */
function checkEncodable(header: RawFrameHeader, data: Uint8Array | undefined): void {
  const { format, width, height, framerate } = header;
  const layout = layoutOf(header);
  validateFrame(
    {
      format,
      codedWidth: width,
      codedHeight: height,
      data: data ?? new Uint8Array(0),
      timestamp: 0,
      ...(layout === undefined ? {} : { layout }),
    },
    { codec: 'vp8', width, height, format, framerate, bitrateBps: 100_000 },
  );
}
