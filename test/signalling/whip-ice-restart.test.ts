import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { FRAGMENT_TYPE, openSession, stopServers } from './whip-test-session.js';

afterEach(stopServers);

function restarted(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': FRAGMENT_TYPE, etag: '"ice-2"' }).end('a=ice-ufrag:theirs\r\n');
}

describe('WhipSignaller: ICE restarts', () => {
  it('are a PATCH of the session with any entity tag, as often as wanted', async () => {
    const { server, signaller } = await openSession(restarted);
    expect(signaller.canRestartIce).toBe(true);
    expect(await signaller.restartIce('a=ice-ufrag:ours\r\n')).toBe('a=ice-ufrag:theirs\r\n');
    expect(await signaller.restartIce('a=ice-ufrag:ours2\r\n')).toBe('a=ice-ufrag:theirs\r\n');
    expect(server.seen[1]).toMatchObject({
      method: 'PATCH',
      path: '/whip/session/7',
      ifMatch: '"*"',
      contentType: FRAGMENT_TYPE,
      authorization: 'Bearer secret',
      body: 'a=ice-ufrag:ours\r\n',
    });
    expect(await signaller.close()).toEqual({ confirmed: true });
    expect(signaller.canRestartIce).toBe(false);
  });

  it('are not asked of a server that gives no entity tag', async () => {
    const { server, signaller } = await openSession(restarted, {});
    expect(signaller.canRestartIce).toBe(false);
    await expect(signaller.restartIce('x')).rejects.toMatchObject({ code: 'SIGNALLING_FAILED' });
    expect(server.seen).toHaveLength(1);
  });

  it.each([404, 405, 412, 422, 428, 501, 503])(
    'that the server refuses with %i are not asked for again',
    async (status) => {
      const { server, signaller } = await openSession((response) => response.writeHead(status).end());
      await expect(signaller.restartIce('x')).rejects.toMatchObject({
        code: 'SIGNALLING_REJECTED',
        context: { status },
      });
      expect(signaller.canRestartIce).toBe(false);
      await expect(signaller.restartIce('x')).rejects.toMatchObject({ code: 'SIGNALLING_FAILED' });
      expect(server.seen.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
    },
  );

  it.each([
    ['no content', (response: ServerResponse) => void response.writeHead(204).end()],
    ['a page', (response: ServerResponse) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
  ])('that are answered with %s have not happened', async (_what, answer) => {
    const { signaller } = await openSession(answer);
    await expect(signaller.restartIce('x')).rejects.toMatchObject({ code: 'SIGNALLING_REJECTED' });
  });

  it('end with their signal, and may be tried again', async () => {
    let isDeaf = true;
    const { server, signaller } = await openSession((response) => {
      if (!isDeaf) restarted(response);
    });
    const controller = new AbortController();
    const restart = expect(signaller.restartIce('x', controller.signal)).rejects.toMatchObject({
      code: 'SIGNALLING_FAILED',
    });
    await server.received(2);
    controller.abort();
    await restart;
    isDeaf = false;
    expect(await signaller.restartIce('x')).toContain('theirs');
  });
});
