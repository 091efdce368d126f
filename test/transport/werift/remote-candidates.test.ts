import { describe, expect, it } from 'vitest';
import type { Candidate, Connection } from 'werift';
import type { RemoteCandidate } from '../../../src/transport/sdp/answer-transport.js';
import { RemoteCandidates } from '../../../src/transport/werift/remote-candidates.js';
import { VirtualClock } from '../../support/virtual-clock.js';

const UDP: RemoteCandidate = {
  foundation: '1',
  transport: 'udp',
  priority: 9,
  address: '192.0.2.1',
  port: 7882,
  type: 'host',
};
const TCP: RemoteCandidate = { ...UDP, foundation: '2', transport: 'tcp', priority: 5, port: 7881 };

/** What is checked, as far as an agent would hear of it. */
function agent() {
  const clock = new VirtualClock();
  const checked: string[] = [];
  const connection = {
    nominated: undefined as object | undefined,
    addRemoteCandidate: async ({ transport, tcptype, port }: Candidate) =>
      void checked.push([transport, tcptype, port].filter((part) => part !== undefined).join(' ')),
  };
  return { clock, checked, connection, remote: new RemoteCandidates(connection as unknown as Connection, clock) };
}

describe('the candidates of a peer', () => {
  it('are checked at once by UDP, and a second later by TCP', async () => {
    const { clock, checked, remote } = agent();
    remote.check([TCP, UDP]);
    expect(checked).toEqual(['udp 7882']);
    await clock.advance(999);
    expect(checked).toHaveLength(1);
    await clock.advance(1);
    expect(checked).toEqual(['udp 7882', 'tcp passive 7881']);
  });

  it('are not dialled once there is a way', async () => {
    const { clock, checked, connection, remote } = agent();
    remote.check([UDP, TCP]);
    connection.nominated = {};
    await clock.advance(1000);
    expect(checked).toEqual(['udp 7882']);
  });

  it('are dialled at once where there are no others', () => {
    const { checked, remote } = agent();
    remote.check([TCP]);
    expect(checked).toEqual(['tcp passive 7881']);
  });

  it('are left alone after the end', async () => {
    const { clock, checked, remote } = agent();
    remote.check([UDP, TCP]);
    remote.cancel();
    await clock.advance(1000);
    expect(checked).toEqual(['udp 7882']);
    expect(clock.pendingTimers).toBe(0);
  });
});
