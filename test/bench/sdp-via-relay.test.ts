import { describe, expect, it } from 'vitest';
import { sdpViaRelay } from '../../bench/support/real-link/sdp-via-relay.js';

const candidate = (address: string) => `a=candidate:1 1 udp 2130706431 ${address} 5000 typ host`;
const lines = (...text: string[]): string => `${text.join('\r\n')}\r\n`;

describe('a description via a relay', () => {
  it('has one candidate in place of all of an m-line, and nothing else changed', () => {
    const sdp = lines(
      'v=0',
      'm=video 9 UDP/TLS/RTP/SAVPF 96',
      candidate('10.0.0.1'),
      'a=candidate:2 1 tcp 1518280447 10.0.0.1 9 typ host tcptype active',
      'a=ice-ufrag:user',
      'a=mid:0',
      'm=video 9 UDP/TLS/RTP/SAVPF 96',
      'a=ice-ufrag:user',
      'a=mid:1',
    );
    expect(sdpViaRelay(sdp, { address: '198.18.0.1', port: 5000 })).toBe(
      lines(
        'v=0',
        'm=video 9 UDP/TLS/RTP/SAVPF 96',
        candidate('198.18.0.1'),
        'a=ice-ufrag:user',
        'a=mid:0',
        'm=video 9 UDP/TLS/RTP/SAVPF 96',
        'a=ice-ufrag:user',
        'a=mid:1',
      ),
    );
  });
});
