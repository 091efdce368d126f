import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { meetServer, OFFER, stopServers } from './whip-test-session.js';

const CANDIDATE = 'a=candidate:1 1 udp 1 198.51.100.7 5000 typ relay raddr 0.0.0.0 rport 0';

afterEach(stopServers);

/** A signaller that has not offered yet, and its server, which answers PATCH as told. */
async function meet(patch: (response: ServerResponse) => void, headers?: Record<string, string>) {
  const { server, signaller } = await meetServer(patch, headers);
  return { server, signaller, trickle: () => signaller.trickle([CANDIDATE], new AbortController().signal) };
}

function status(code: number): (response: ServerResponse) => void {
  return (response) => void response.writeHead(code).end();
}

describe('WhipSignaller: candidates that follow', () => {
  it('are a PATCH with the entity tag, below the m-line of the bundle', async () => {
    const { server, signaller, trickle } = await meet(status(204));
    await signaller.offer(OFFER);
    expect(await trickle()).toBe(true);
    expect(server.seen[1]).toMatchObject({
      method: 'PATCH',
      path: '/whip/session/7',
      ifMatch: '"ice-1"',
      contentType: 'application/trickle-ice-sdpfrag',
      body: [
        'a=ice-ufrag:ours',
        'a=ice-pwd:password',
        'm=video 9 UDP/TLS/RTP/SAVPF 96',
        'a=mid:0',
        CANDIDATE,
        'a=end-of-candidates',
        '',
      ].join('\r\n'),
    });
  });

  it('can follow as soon as the server has given an entity tag, and in later sessions from the offer on', async () => {
    const { signaller } = await meet(status(204));
    expect(signaller.canTrickle).toBe(false);
    await signaller.offer(OFFER);
    expect(signaller.canTrickle).toBe(true);
    await signaller.close();
    expect(signaller.canTrickle).toBe(true);
  });

  it.each([405, 422, 501])('that the server refuses with %i cannot follow any more', async (code) => {
    const { server, signaller, trickle } = await meet(status(code));
    await signaller.offer(OFFER);
    expect(await trickle()).toBe(false);
    expect(await trickle()).toBe(false);
    expect(server.seen.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
    await signaller.close();
    expect(signaller.canTrickle).toBe(false);
  });

  it('are not told to a server without an entity tag, nor to nobody', async () => {
    const { server, signaller, trickle } = await meet(status(204), {});
    expect(await trickle()).toBe(false);
    await signaller.offer(OFFER);
    expect(signaller.canTrickle).toBe(false);
    expect(await trickle()).toBe(false);
    expect(server.seen).toHaveLength(1);
  });

  it('that do not reach the server fail nothing', async () => {
    const { server, signaller, trickle } = await meet(status(204));
    await signaller.offer(OFFER);
    await server.stop();
    expect(await trickle()).toBe(false);
    expect(signaller.canTrickle).toBe(true);
  });
});
