/** What the near relay writes before each datagram that it puts on the line, so that the far relay knows what the line did to it. */
export interface LineHeader {
  /** Counts what the near host has sent, what the relay has lost of it included. */
  readonly index: number;
  /** When it was put on the line, microseconds by `SystemClock`. */
  readonly sentAtUs: number;
}

export const LINE_HEADER_BYTES = 12;

export function writeLineHeader({ index, sentAtUs }: LineHeader): Buffer {
  const header = Buffer.alloc(LINE_HEADER_BYTES);
  header.writeUInt32BE(index);
  header.writeDoubleBE(sentAtUs, 4);
  return header;
}

export function readLineHeader(datagram: Buffer): LineHeader {
  return { index: datagram.readUInt32BE(), sentAtUs: datagram.readDoubleBE(4) };
}
