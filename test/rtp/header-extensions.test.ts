import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deserializeAbsSendTime, ExtensionProfiles, RTP_EXTENSION_URI, RtpHeader } from 'werift';
import {
  HEADER_EXTENSION_URIS,
  rtpHeaderBytes,
  writeAbsCaptureTime,
  writeAbsSendTime,
  writeMid,
  writePlayoutDelay,
  writeTransportWideCc,
} from '../../src/rtp/header-extensions.js';
import { absSendTime, ntpTimestamp } from '../../src/rtp/media-time.js';

describe('HEADER_EXTENSION_URIS', () => {
  it('are the URIs that the transport negotiates', () => {
    expect(HEADER_EXTENSION_URIS).toMatchObject({
      mid: RTP_EXTENSION_URI.sdesMid,
      absSendTime: RTP_EXTENSION_URI.absSendTime,
      transportWideCc: RTP_EXTENSION_URI.transportWideCC,
    });
  });
});

describe('writeMid', () => {
  it('writes the characters of a token', () => {
    expect(writeMid('0')).toEqual(Uint8Array.of(0x30));
    expect(writeMid('video-1~{}')).toEqual(new TextEncoder().encode('video-1~{}'));
  });

  it.each(['', '12345678901234567', 'a b', 'a"b', 'a,b', 'a/b', 'ü', 'a\n'])('refuses %j', (mid) => {
    expect(() => writeMid(mid)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('writePlayoutDelay', () => {
  it.each([
    [0, 0, [0, 0, 0]],
    [100, 400, [0x00, 0xa0, 0x28]],
    [14, 16, [0x00, 0x10, 0x02]],
    [40_950, 40_950, [0xff, 0xff, 0xff]],
  ])('writes %d to %d ms in 12 bits each, of 10 ms', (minMs, maxMs, bytes) => {
    expect([...writePlayoutDelay({ minMs, maxMs })]).toEqual(bytes);
  });

  it.each([
    [-1, 0],
    [20, 10],
    [0, 40_960],
    [Number.NaN, 10],
    [0, Number.POSITIVE_INFINITY],
  ])('refuses %d to %d ms', (minMs, maxMs) => {
    expect(() => writePlayoutDelay({ minMs, maxMs })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('writeAbsSendTime', () => {
  it('writes the 24 bits big-endian', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e15 }), (nowUs) => {
        const data = writeAbsSendTime(nowUs);
        expect(data).toHaveLength(3);
        expect(deserializeAbsSendTime(Buffer.from(data))).toBe(absSendTime(nowUs));
      }),
    );
  });
});

describe('writeAbsCaptureTime', () => {
  it('writes the NTP time of the capture in 8 bytes', () => {
    const captureUs = 1_700_000_000_123_456;
    const view = new DataView(writeAbsCaptureTime(captureUs).buffer);
    expect(view.byteLength).toBe(8);
    expect({ seconds: view.getUint32(0), fraction: view.getUint32(4) }).toEqual(ntpTimestamp(captureUs));
  });
});

describe('writeTransportWideCc', () => {
  it('writes the sequence number big-endian', () => {
    expect(writeTransportWideCc(0xabcd)).toEqual(Uint8Array.of(0xab, 0xcd));
    expect(writeTransportWideCc(0xffff)).toEqual(Uint8Array.of(0xff, 0xff));
  });
});

describe('rtpHeaderBytes', () => {
  it('is the size of the header that werift writes', () => {
    const element = fc.uint8Array({ minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(fc.array(element, { maxLength: 6 }), (datas) => {
        const extensions = datas.map((data, index) => ({ id: index + 1, data }));
        const header = new RtpHeader({
          extension: extensions.length > 0,
          extensionProfile: ExtensionProfiles.OneByte,
          extensions: extensions.map(({ id, data }) => ({ id, payload: Buffer.from(data) })),
        });
        expect(rtpHeaderBytes(extensions)).toBe(header.serialize(header.serializeSize).length);
      }),
    );
  });
});
