import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { confirmSession } from '../../src/signalling/whip/whip-confirmation.js';
import type { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { FRAGMENT_TYPE, openSession, stopServers } from './whip-test-session.js';

afterEach(stopServers);

function confirm(signaller: WhipSignaller) {
  return signaller.confirm(new AbortController().signal);
}

describe('a WHIP server that is asked whether it still has a session', () => {
  it.each([
    [204, 'open'],
    [200, 'open'],
    [412, 'open'],
    [404, 'gone'],
    [410, 'gone'],
    [500, 'unconfirmed'],
    [503, 'unconfirmed'],
    [405, 'unknown'],
    [501, 'unknown'],
  ])('and answers %i says: %s', async (status, verdict) => {
    const { signaller } = await openSession((response) => response.writeHead(status).end());
    expect(await confirm(signaller)).toBe(verdict);
  });

  it('is told nothing that it does not know', async () => {
    const { server, signaller } = await openSession((response) => response.writeHead(204).end());
    await confirm(signaller);
    expect(server.seen.find(({ method }) => method === 'PATCH')).toMatchObject({
      path: '/whip/session/7',
      ifMatch: '"ice-1"',
      contentType: FRAGMENT_TYPE,
      authorization: 'Bearer secret',
      body: [
        'a=ice-ufrag:ours',
        'a=ice-pwd:password',
        'm=video 9 UDP/TLS/RTP/SAVPF 96',
        'a=mid:0',
        'a=end-of-candidates',
        '',
      ].join('\r\n'),
    });
  });

  it.each([400, 405, 415, 422, 428, 501])(
    'and refuses such patches with %i is not asked by them again',
    async (status) => {
      const { server, signaller } = await openSession((response) => response.writeHead(status).end());
      expect(await confirm(signaller)).toBe('unknown');
      expect(await confirm(signaller)).toBe('unknown');
      expect(server.seen.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
    },
  );

  it('and is deaf to that, but answers otherwise, does not vouch for it', async () => {
    const { signaller } = await openSession(() => undefined);
    expect(await confirm(signaller)).toBe('unconfirmed');
    expect(signaller.lateCompletions).toEqual({});
  });

  it('and is gone itself does not vouch for it, with an entity tag or without', async () => {
    for (const headers of [{ etag: '"ice-1"' }, {}] as const) {
      const { server, signaller } = await openSession((response) => response.writeHead(204).end(), headers);
      await server.stop();
      expect(await confirm(signaller)).toBe('unconfirmed');
    }
  });

  it('and gave it no entity tag is asked for nothing but an answer', async () => {
    const { server, signaller } = await openSession((response) => response.writeHead(404).end(), {});
    expect(await confirm(signaller)).toBe('unknown');
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', 'OPTIONS']);
  });

  it('and has it no more is not asked to delete it', async () => {
    const { server, signaller } = await openSession((response) => response.writeHead(404).end());
    await confirm(signaller);
    expect(await signaller.close()).toEqual({ confirmed: true });
    expect(server.seen.some(({ method }) => method === 'DELETE')).toBe(false);
  });

  it('is asked by what an ICE restart has agreed on', async () => {
    const answers = [
      (response: ServerResponse) =>
        void response.writeHead(200, { 'content-type': FRAGMENT_TYPE, etag: '"ice-2"' }).end('a=ice-ufrag:theirs\r\n'),
      (response: ServerResponse) => void response.writeHead(204).end(),
    ];
    const { server, signaller } = await openSession((response) => answers.shift()?.(response));
    await signaller.restartIce('a=ice-ufrag:fresh\r\na=ice-pwd:another\r\n');
    expect(await confirm(signaller)).toBe('open');
    expect(server.seen.findLast(({ method }) => method === 'PATCH')).toMatchObject({ ifMatch: '"ice-2"' });
    expect(server.seen.findLast(({ method }) => method === 'PATCH')?.body).toContain(
      'a=ice-ufrag:fresh\r\na=ice-pwd:another',
    );
  });

  it('writes its entity tags without quotes, and gets them so', async () => {
    const { server, signaller } = await openSession(
      (response) =>
        response.writeHead(200, { 'content-type': FRAGMENT_TYPE, etag: 'ice-2' }).end('a=ice-ufrag:theirs\r\n'),
      { etag: 'ice-1' },
    );
    await signaller.restartIce('a=ice-ufrag:fresh\r\n');
    expect(server.seen.at(-1)?.ifMatch).toBe('*');
    await confirm(signaller);
    expect(server.seen.findLast(({ method }) => method === 'PATCH')?.ifMatch).toBe('ice-2');
  });
});

describe('confirmSession', () => {
  const never = () => new Promise<never>(() => undefined);

  it('learns nothing from a gap in the network, which lets no answer through', async () => {
    const clock = new VirtualClock();
    const lost = () => Promise.reject(new Error('timed out'));
    expect(await confirmSession({ clock, signal: new AbortController().signal, reach: lost, ask: lost })).toBe(
      'unknown',
    );
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits half a second longer for the session than for the endpoint, and leaves no timer', async () => {
    const clock = new VirtualClock();
    const verdicts: string[] = [];
    const signal = new AbortController().signal;
    const asked = confirmSession({ clock, signal, reach: () => Promise.resolve(), ask: never });
    void asked.then((verdict) => verdicts.push(verdict));
    await clock.advance(0);
    await clock.advance(490);
    expect(verdicts).toEqual([]);
    await clock.advance(20);
    expect(verdicts).toEqual(['unconfirmed']);
    const answered = confirmSession({ clock, signal, reach: () => Promise.resolve(), ask: async () => 204 });
    await clock.advance(0);
    expect(await answered).toBe('open');
    expect(clock.pendingTimers).toBe(0);
  });
});
