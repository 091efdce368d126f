/** What is between the lines of a message and its end. */
const LINE = '\r\n';
const HEAD_END = '\r\n\r\n';
/** Of data that travels on the connection of the messages (RFC 2326 section 10.12). */
const INTERLEAVED = 0x24;
const INTERLEAVED_HEADER_BYTES = 4;

/**
 * The server's side of one RTSP connection (RFC 2326): one video, over the connection itself, played from its beginning. It knows neither sockets nor clocks, and answers
 * what players ask that are as they should be.
 */
export class RtspConversation {
  readonly #sdp: string;
  #received = Buffer.alloc(0);
  #isPlaying = false;

  constructor(sdp: string) {
    this.#sdp = sdp;
  }

  /** From the answer to PLAY on. */
  get isPlaying(): boolean {
    return this.#isPlaying;
  }

  /** Takes what has come, in any portions. @returns what is to be answered, in order */
  receive(bytes: Uint8Array): readonly string[] {
    this.#received = Buffer.concat([this.#received, bytes]);
    const answers: string[] = [];
    for (;;) {
      if (this.#received[0] === INTERLEAVED) {
        // Reports of the receiver.
        if (this.#received.length < INTERLEAVED_HEADER_BYTES) return answers;
        const length = INTERLEAVED_HEADER_BYTES + this.#received.readUInt16BE(2);
        if (this.#received.length < length) return answers;
        this.#received = this.#received.subarray(length);
      } else {
        const end = this.#received.indexOf(HEAD_END);
        if (end < 0) return answers;
        const head = this.#received.toString('latin1', 0, end);
        const length = end + HEAD_END.length + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
        if (this.#received.length < length) return answers;
        this.#received = this.#received.subarray(length);
        answers.push(this.#answer(head));
      }
    }
  }

  #answer(head: string): string {
    const [, method = '', url = ''] = /^(\S+) (\S+)/.exec(head) ?? [];
    const lines = [`CSeq: ${/^cseq: *(\d+)/im.exec(head)?.[1] ?? 0}`];
    switch (method) {
      case 'OPTIONS':
        return message('200 OK', [...lines, 'Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN']);
      case 'DESCRIBE':
        return message(
          '200 OK',
          [...lines, `Content-Base: ${url}/`, 'Content-Type: application/sdp', `Content-Length: ${this.#sdp.length}`],
          this.#sdp,
        );
      case 'SETUP':
        if (!/^transport: .*rtp\/avp\/tcp.*interleaved=0-1/im.test(head)) {
          return message('461 Unsupported Transport', lines);
        }
        return message('200 OK', [...lines, 'Session: 1', 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1']);
      case 'PLAY':
        this.#isPlaying = true;
        return message('200 OK', [...lines, 'Session: 1', 'Range: npt=0.000-']);
      case 'GET_PARAMETER':
      case 'TEARDOWN':
        return message('200 OK', [...lines, 'Session: 1']);
      default:
        return message('501 Not Implemented', lines);
    }
  }
}

function message(status: string, headers: readonly string[], body = ''): string {
  return [`RTSP/1.0 ${status}`, ...headers].join(LINE) + HEAD_END + body;
}
