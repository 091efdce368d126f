import type { Endpoint } from '../../../test/support/network/addresses.js';

/** The description with all candidates of each m-line replaced by one: whoever reads it goes through the relay. */
export function sdpViaRelay(sdp: string, { address, port }: Endpoint): string {
  const sections = sdp.split(/^(?=m=)/m);
  // Preference 65535 of a host candidate, RFC 8445 section 5.1.2.1.
  const candidate = `a=candidate:1 1 udp 2130706431 ${address} ${port} typ host\r\n`;
  return sections
    .map((section) => {
      const without = section.replace(/^a=candidate:.*\r\n/gm, '');
      return without === section ? section : without.replace(/^(?=a=ice-ufrag:)/m, candidate);
    })
    .join('');
}
