import type { ServerResponse } from 'node:http';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { created, MisbehavingServer } from './misbehaving-server.js';

/** An offer with all that a fragment is made of. */
export const OFFER = 'v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:ours\r\na=ice-pwd:password\r\na=mid:0\r\n';
export const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';

const servers: MisbehavingServer[] = [];

/** A signaller that has not offered yet, and its server, which gives sessions this entity tag, if any, and answers PATCH as told. */
export async function meetServer(
  patch: (response: ServerResponse) => void,
  headers: Record<string, string> = { etag: '"ice-1"' },
) {
  const server = await new MisbehavingServer(({ method }, response) => {
    if (method === 'POST') created(response, 'session/7', headers);
    else if (method === 'PATCH') patch(response);
    else response.writeHead(200).end();
  }).start();
  servers.push(server);
  return { server, signaller: new WhipSignaller({ url: `${server.origin}/whip/demo`, token: 'secret' }) };
}

/** The same with a session that is open. */
export async function openSession(...how: Parameters<typeof meetServer>) {
  const met = await meetServer(...how);
  await met.signaller.offer(OFFER);
  return met;
}

/** After each test. */
export async function stopServers(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
}
