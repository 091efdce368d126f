/**
 * The native peer comes without an H.264 decoder, and cannot answer an offer with such an m-line. So it is shown an idle VP8 line in its place,
 * and admits H.264 in its answer all the same: the encoders run and their packets are sent like any others, and the peer drops them.
 */

/** Payload type that the idle lines get; no packet has it, so what comes for them is of an unknown one. */
const IDLE_PAYLOAD_TYPE = 119;
const CODEC_LINE = /^a=(?:rtpmap|fmtp|rtcp-fb):/;
const DIRECTION_LINE = /^a=(?:sendonly|recvonly|sendrecv|inactive)$/;

/** The offer as the peer is shown it. */
export function hideH264(offer: string): string {
  return join(
    sectionsOf(offer).map((lines) => {
      if (!isH264(lines)) return lines;
      const kept = lines.filter(
        (line) => !/^a=(?:ssrc|ssrc-group|msid|rtpmap|fmtp|rtcp-fb):/.test(line) && !DIRECTION_LINE.test(line),
      );
      return [...withPayloadTypes(kept, IDLE_PAYLOAD_TYPE), `a=rtpmap:${IDLE_PAYLOAD_TYPE} VP8/90000`, 'a=inactive'];
    }),
  );
}

/** The peer's answer with the hidden lines admitted, without retransmissions in a stream of their own. */
export function admitH264(offer: string, answer: string): string {
  const offered = sectionsOf(offer);
  return join(
    sectionsOf(answer).map((lines, index) => {
      const wanted = offered[index] ?? [];
      if (!isH264(wanted)) return lines;
      const kept = lines.filter((line) => !CODEC_LINE.test(line) && !DIRECTION_LINE.test(line));
      const payloadType =
        wanted.map((line) => /^a=rtpmap:(\d+) H264\//.exec(line)?.[1]).find((type) => type !== undefined) ?? '';
      return [
        ...withPayloadTypes(kept, payloadType),
        ...wanted.filter((line) => CODEC_LINE.test(line) && line.includes(`:${payloadType} `)),
        wanted.includes('a=sendonly') ? 'a=recvonly' : 'a=inactive',
      ];
    }),
  );
}

function isH264(lines: readonly string[]): boolean {
  return lines.some((line) => / H264\//.test(line));
}

function withPayloadTypes([mLine = '', ...others]: readonly string[], payloadType: number | string): readonly string[] {
  return [[...mLine.split(' ').slice(0, 3), payloadType].join(' '), ...others];
}

/** The session part and one section an m-line, each as its lines. */
function sectionsOf(sdp: string): readonly (readonly string[])[] {
  return sdp.split(/\r?\n(?=m=)/).map((section) => section.split(/\r?\n/).filter((line) => line !== ''));
}

function join(sections: readonly (readonly string[])[]): string {
  return `${sections.flat().join('\r\n')}\r\n`;
}
