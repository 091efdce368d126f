import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { MAX_BODY_BYTES, MAX_REDIRECTS } from '../../src/signalling/whip/http-exchange.js';
import { CLOSE_TIMEOUT_MS, WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { LateTimersClock, settle, VirtualClock } from '../support/virtual-clock.js';
import { type Answerer, created, MisbehavingServer } from './misbehaving-server.js';

const OFFER = 'v=0\r\noffer';
const TOKEN = 'very-secret-token';
const servers: MisbehavingServer[] = [];

async function serve(answer: Answerer): Promise<MisbehavingServer> {
  const server = await new MisbehavingServer(answer).start();
  servers.push(server);
  return server;
}

function signallerTo(server: MisbehavingServer, options: { path?: string; token?: string; clock?: VirtualClock } = {}) {
  const { path = '/whip/demo', ...rest } = options;
  return new WhipSignaller({ url: `${server.origin}${path}`, ...rest });
}

async function failureOf(promise: Promise<unknown>): Promise<FramelockError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FramelockError);
  return error as FramelockError;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe('WhipSignaller: a well-behaved server', () => {
  it('posts the offer as SDP with the token and deletes the session at a relative Location', async () => {
    const server = await serve((seen, response) => {
      if (seen.method === 'POST') created(response, 'session/7?x=1');
      else response.writeHead(200).end();
    });
    const signaller = signallerTo(server, { token: TOKEN });
    expect(await signaller.offer(OFFER)).toEqual({ sdp: 'v=0\r\nanswer' });
    expect(await signaller.close()).toEqual({ confirmed: true });
    expect(server.seen).toEqual([
      expect.objectContaining({
        method: 'POST',
        path: '/whip/demo',
        contentType: 'application/sdp',
        authorization: `Bearer ${TOKEN}`,
        body: OFFER,
      }),
      expect.objectContaining({ method: 'DELETE', path: '/whip/session/7?x=1', authorization: `Bearer ${TOKEN}` }),
    ]);
  });

  it('deletes once however often it is closed, and can be used again', async () => {
    const server = await serve((_, response) => created(response));
    const signaller = signallerTo(server);
    await signaller.offer(OFFER);
    await Promise.all([signaller.close(), signaller.close()]);
    await signaller.close();
    expect(server.seen.filter((seen) => seen.method === 'DELETE')).toHaveLength(1);
    await signaller.offer(OFFER);
    await signaller.close();
    expect(server.seen.map((seen) => seen.method)).toEqual(['POST', 'DELETE', 'POST', 'DELETE']);
  });

  it('opens a second session beside the first by another instance, which knows what the first has learnt', async () => {
    let sessions = 0;
    const server = await serve((seen, response) => {
      if (seen.method !== 'POST') return void response.writeHead(200).end();
      sessions += 1;
      response.setHeader('link', '<stun:stun.example>; rel="ice-server"');
      response.setHeader('etag', '"tag"');
      created(response, `session/${sessions}`);
    });
    const first = signallerTo(server, { token: TOKEN });
    await first.offer(OFFER);
    const second = first.beside();
    expect(second.description).toBe(first.description);
    expect(second.iceServers).toEqual([{ urls: 'stun:stun.example' }]);
    expect([first.canTrickle, second.canTrickle]).toEqual([true, true]);
    await second.offer(OFFER);
    await first.close();
    await second.close();
    expect(server.seen.map(({ method, path, authorization }) => [method, path, authorization])).toEqual([
      ['POST', '/whip/demo', `Bearer ${TOKEN}`],
      ['POST', '/whip/demo', `Bearer ${TOKEN}`],
      ['DELETE', '/whip/session/1', `Bearer ${TOKEN}`],
      ['DELETE', '/whip/session/2', `Bearer ${TOKEN}`],
    ]);
  });

  it('refuses a second offer while a session is open', async () => {
    const server = await serve((_, response) => created(response));
    const signaller = signallerTo(server);
    await signaller.offer(OFFER);
    expect((await failureOf(signaller.offer(OFFER))).code).toBe('INVALID_ARGUMENT');
    expect(server.seen).toHaveLength(1);
  });

  it('has nothing to end before the first offer', async () => {
    const server = await serve((_, response) => created(response));
    expect(await signallerTo(server).close()).toEqual({ confirmed: true });
    expect(server.seen).toHaveLength(0);
  });
});

describe('WhipSignaller: connections', () => {
  it('are made for each request: one from before a move of the machine would wait for ever', async () => {
    const server = await serve((seen, response) => (seen.method === 'POST' ? created(response) : response.end()));
    const signaller = signallerTo(server);
    for (let session = 1; session <= 2; session += 1) {
      await signaller.offer(OFFER);
      await signaller.close();
      expect(server.connections).toBe(2 * session);
    }
  });
});

describe('WhipSignaller: redirects', () => {
  it.each([307, 308])(
    'follows %i with method and body, and resolves Location against the final URL',
    async (status) => {
      const server = await serve((seen, response) => {
        if (seen.path === '/whip/demo') response.writeHead(status, { location: '/edge/a/whip' }).end();
        else created(response, 'mine');
      });
      const signaller = signallerTo(server);
      await signaller.offer(OFFER);
      await signaller.close();
      expect(server.seen.map(({ method, path, body }) => [method, path, body])).toEqual([
        ['POST', '/whip/demo', OFFER],
        ['POST', '/edge/a/whip', OFFER],
        ['DELETE', '/edge/a/mine', ''],
      ]);
    },
  );

  it('does not show the token to another origin', async () => {
    const other = await serve((_, response) => created(response));
    const server = await serve((_, response) => response.writeHead(307, { location: `${other.origin}/whip` }).end());
    const signaller = signallerTo(server, { token: TOKEN });
    await signaller.offer(OFFER);
    await signaller.close();
    expect(server.seen.map((seen) => seen.authorization)).toEqual([`Bearer ${TOKEN}`]);
    expect(other.seen.map((seen) => seen.authorization)).toEqual([undefined, undefined]);
  });

  it('gives up on a redirect loop', async () => {
    const server = await serve((_, response) => response.writeHead(308, { location: '/whip/demo' }).end());
    const error = await failureOf(signallerTo(server).offer(OFFER));
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toContain(`more than ${MAX_REDIRECTS}`);
    expect(server.seen).toHaveLength(MAX_REDIRECTS + 1);
  });

  it('leaves out the user info of where it is redirected to, and tells nobody', async () => {
    const server = await serve((seen, response) => {
      const place = `//user:hidden@${new URL(server.origin).host}/edge`;
      if (seen.path === '/whip/demo') response.writeHead(307, { location: place }).end();
      else response.writeHead(403).end();
    });
    const { code, message } = await failureOf(signallerTo(server).offer(OFFER));
    expect(code).toBe('SIGNALLING_REJECTED');
    expect(message).not.toContain('hidden');
    expect(server.seen.map(({ path, authorization }) => [path, authorization])).toEqual([
      ['/whip/demo', undefined],
      ['/edge', undefined],
    ]);
  });

  it('refuses a redirect that leads nowhere', async () => {
    const server = await serve((_, response) => response.writeHead(307, { location: 'ftp://example.org/' }).end());
    expect((await failureOf(signallerTo(server).offer(OFFER))).code).toBe('SIGNALLING_FAILED');
  });

  it('does not turn the offer into a GET on 302', async () => {
    const server = await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    const error = await failureOf(signallerTo(server).offer(OFFER));
    expect(error.code).toBe('SIGNALLING_REJECTED');
    expect(server.seen).toHaveLength(1);
  });
});

describe('WhipSignaller: refusals', () => {
  it.each([
    [400, 'does not accept this SDP'],
    [401, 'bearer token'],
    [403, 'bearer token'],
    [404, 'check the URL'],
    [406, 'another codec'],
    [415, 'another codec'],
    [409, 'busy'],
    [500, 'its side'],
    [503, 'busy'],
  ])('status %i is SIGNALLING_REJECTED and says what to do', async (status, hint) => {
    const server = await serve((_, response) => response.writeHead(status).end());
    const error = await failureOf(signallerTo(server, { token: TOKEN }).offer(OFFER));
    expect(error.code).toBe('SIGNALLING_REJECTED');
    expect(error.context).toMatchObject({ status, url: `${server.origin}/whip/demo` });
    expect(error.message).toContain(hint);
    expect(JSON.stringify([error.message, error.context])).not.toContain(TOKEN);
  });

  it.each([
    ['120', 120_000],
    [new Date(1_700_000_030_000).toUTCString(), 30_000],
    ['soon', undefined],
  ])('reads Retry-After: %s', async (value, retryAfterMs) => {
    const server = await serve((_, response) => response.writeHead(503, { 'retry-after': value }).end());
    const error = await failureOf(signallerTo(server, { clock: new VirtualClock() }).offer(OFFER));
    expect(error.context['retryAfterMs']).toBe(retryAfterMs);
  });

  it("quotes the server's words without control characters, shortened", async () => {
    const server = await serve((_, response) => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(`bad\u001b[31m offer${'!'.repeat(1000)}`);
    });
    const { message } = await failureOf(signallerTo(server).offer(OFFER));
    expect(message).toContain('bad [31m offer!!!');
    expect(message).not.toContain('\u001b');
    expect(message.length).toBeLessThan(500);
  });

  it('can be offered again after a refusal', async () => {
    let refuse = true;
    const server = await serve((_, response) => (refuse ? response.writeHead(503).end() : created(response)));
    const signaller = signallerTo(server);
    await failureOf(signaller.offer(OFFER));
    refuse = false;
    expect((await signaller.offer(OFFER)).sdp).toContain('answer');
  });
});

describe('WhipSignaller: the token', () => {
  it('is not told, though the server repeats it in its words and in where it redirects to', async () => {
    const server = await serve((seen, response) => {
      if (seen.path === '/whip/demo') response.writeHead(307, { location: `/for/${TOKEN}` }).end();
      else response.writeHead(401, { 'content-type': 'text/plain' }).end(`${TOKEN} has expired`);
    });
    const { message, context } = await failureOf(signallerTo(server, { token: TOKEN }).offer(OFFER));
    expect(message).toContain('has expired');
    expect(JSON.stringify([message, context])).not.toContain(TOKEN);
  });

  it('is not told when such a place fails', async () => {
    const server = await serve((seen, response) => {
      if (seen.path === '/whip/demo') response.writeHead(308, { location: `/for/${TOKEN}` }).end();
      else response.destroy();
    });
    const { message, context } = await failureOf(signallerTo(server, { token: TOKEN }).offer(OFFER));
    expect(message).toContain('/for/');
    expect(JSON.stringify([message, context])).not.toContain(TOKEN);
  });
});

describe('WhipSignaller: what a server may name', () => {
  it('is ICE servers, which are known from then on', async () => {
    const links = ['<stun:stun.example>; rel="ice-server"', '<turn:t>; rel="ice-server"; username="u"; credential="c"'];
    let headers: Record<string, string | string[]> = { link: links };
    const server = await serve((_, response) => {
      response.writeHead(201, { 'content-type': 'application/sdp', location: '/s', ...headers }).end('v=0');
    });
    const signaller = signallerTo(server);
    expect(signaller.iceServers).toEqual([]);
    await signaller.offer(OFFER);
    const named = [{ urls: 'stun:stun.example' }, { urls: 'turn:t', username: 'u', credential: 'c' }];
    expect(signaller.iceServers).toEqual(named);
    await signaller.close();
    headers = {};
    await signaller.offer(OFFER);
    expect(signaller.iceServers).toEqual(named);
  });

  it('is a place of any length; messages stay short', async () => {
    const server = await serve((seen, response) => {
      if (seen.path === '/whip/demo') response.writeHead(307, { location: `/${'z'.repeat(7000)}` }).end();
      else response.writeHead(400).end();
    });
    expect((await failureOf(signallerTo(server).offer(OFFER))).message.length).toBeLessThan(500);
  });

  it('is no type of its answer, if that looks like SDP', async () => {
    const server = await serve((_, response) => response.writeHead(200, { location: '/s' }).end('v=0'));
    expect(await signallerTo(server).offer(OFFER)).toEqual({ sdp: 'v=0' });
  });
});

describe('WhipSignaller: failures', () => {
  it('says that nobody listens', async () => {
    const server = await serve((_, response) => created(response));
    const signaller = signallerTo(server);
    await server.stop();
    const error = await failureOf(signaller.offer(OFFER));
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toMatch(/ECONNREFUSED.*is the SFU running at http:\/\/127\.0\.0\.1:\d+\?/);
  });

  it('reports a connection that is cut before the answer', async () => {
    const server = await serve((_, response) => response.destroy());
    const error = await failureOf(signallerTo(server).offer(OFFER));
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toContain('closed the connection');
  });

  it('bounds the answer, however it is sent', async () => {
    const server = await serve((_, response) => {
      response.writeHead(201, { 'content-type': 'application/sdp', location: '/s' });
      response.write('v=0');
      response.end('a'.repeat(MAX_BODY_BYTES));
    });
    const error = await failureOf(signallerTo(server).offer(OFFER));
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toContain(String(MAX_BODY_BYTES));
  });

  it.each([
    ['a web page', 'text/html', '<html>'],
    ['an empty body', 'application/sdp', ''],
    ['garbage', 'application/sdp', 'hello'],
  ])('does not take %s for an answer, and deletes the session', async (_, type, body) => {
    const server = await serve((seen, response) => {
      if (seen.method === 'POST') response.writeHead(201, { 'content-type': type, location: '/s/9' }).end(body);
      else response.end();
    });
    const error = await failureOf(signallerTo(server).offer(OFFER));
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(server.seen.map((seen) => `${seen.method} ${seen.path}`)).toEqual(['POST /whip/demo', 'DELETE /s/9']);
  });

  it.each([
    ['is cut off', (response: ServerResponse) => void response.write('v=0', () => response.destroy())],
    ['is too long', (response: ServerResponse) => void response.end('v=0'.repeat(MAX_BODY_BYTES))],
  ])('deletes the session that was opened by an answer that %s', async (_, answer) => {
    const server = await serve((seen, response) => {
      if (seen.method !== 'POST') return void response.end();
      response.writeHead(201, { 'content-type': 'application/sdp', location: '/s/9' });
      answer(response);
    });
    expect((await failureOf(signallerTo(server).offer(OFFER))).code).toBe('SIGNALLING_FAILED');
    expect(server.seen.map((seen) => `${seen.method} ${seen.path}`)).toEqual(['POST /whip/demo', 'DELETE /s/9']);
  });

  it('works without a Location, warns of it, and tells at close that it could not delete', async () => {
    const warnings: string[] = [];
    const server = await serve((_, response) => {
      response.writeHead(201, { 'content-type': 'application/sdp' }).end('v=0');
    });
    const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
    const signaller = new WhipSignaller({ url: `${server.origin}/whip`, logger });
    await signaller.offer(OFFER);
    expect(warnings).toEqual([expect.stringContaining('Location')]);
    expect(await signaller.close()).toMatchObject({ confirmed: false, reason: expect.stringContaining('Location') });
  });

  it.each([
    [404, true],
    [410, true],
    [204, true],
    [500, false],
  ])('status %i for DELETE means confirmed: %s', async (status, confirmed) => {
    const server = await serve((seen, response) => {
      if (seen.method === 'POST') created(response);
      else response.writeHead(status).end();
    });
    const signaller = signallerTo(server);
    await signaller.offer(OFFER);
    expect((await signaller.close()).confirmed).toBe(confirmed);
  });
});

describe('WhipSignaller: time', () => {
  it('fails an offer that is not answered in time, and deletes the session that comes late', async () => {
    let answerLate = (): void => undefined;
    const server = await serve((seen, response) => {
      if (seen.method === 'POST') answerLate = () => created(response, '/late');
      else response.end();
    });
    const clock = new VirtualClock();
    const failed = failureOf(signallerTo(server, { clock }).offer(OFFER));
    await server.received(1);
    await clock.advance(10_000);
    const error = await failed;
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toContain('10000 ms');
    answerLate();
    await server.received(2);
    expect(server.seen[1]).toMatchObject({ method: 'DELETE', path: '/late' });
  });

  it('does not end a session by a time limit that rings although the answer came in time', async () => {
    const server = await serve((_, response) => created(response));
    const clock = new LateTimersClock();
    const signaller = signallerTo(server, { clock });
    await signaller.offer(OFFER);
    await clock.advance(60_000);
    expect(server.seen.map(({ method }) => method)).toEqual(['POST']);
    expect(signaller.lateCompletions).toEqual({ timer: 1 });
    await signaller.close();
    await clock.advance(60_000);
  });

  it('gives a silent server up for good', async () => {
    const server = await serve(() => undefined);
    const clock = new VirtualClock();
    const signaller = signallerTo(server, { clock });
    const failed = failureOf(signaller.offer(OFFER));
    await server.received(1);
    await clock.advance(60_000);
    expect((await failed).code).toBe('SIGNALLING_FAILED');
    expect(await signaller.close()).toEqual({ confirmed: true });
    expect(clock.pendingTimers).toBe(0);
  });

  it('close() during the POST fails the offer with CLOSED at once and deletes what comes late', async () => {
    let answerLate = (): void => undefined;
    const server = await serve((seen, response) => {
      if (seen.method === 'POST') answerLate = () => created(response, '/late');
      else response.end();
    });
    const signaller = signallerTo(server);
    const failed = failureOf(signaller.offer(OFFER));
    await server.received(1);
    const closed = signaller.close();
    expect((await failed).code).toBe('CLOSED');
    expect(signaller.lateCompletions).toEqual({});
    answerLate();
    expect(await closed).toEqual({ confirmed: true });
    expect(signaller.lateCompletions).toEqual({ answer: 1 });
    expect(server.seen[1]).toMatchObject({ method: 'DELETE', path: '/late' });
  });

  it('close() is bounded when the server does not answer DELETE', async () => {
    const server = await serve((seen, response) => {
      if (seen.method === 'POST') created(response);
    });
    const clock = new VirtualClock();
    const signaller = signallerTo(server, { clock });
    await signaller.offer(OFFER);
    const closed = signaller.close();
    await server.received(2);
    await clock.advance(CLOSE_TIMEOUT_MS);
    expect((await closed).confirmed).toBe(false);
  });

  it('close() cuts off a POST that the server does not answer, and leaves nothing running', async () => {
    const server = await serve(() => undefined);
    const clock = new VirtualClock();
    const signaller = signallerTo(server, { clock });
    const failed = failureOf(signaller.offer(OFFER));
    await server.received(1);
    const closed = signaller.close();
    expect((await failed).code).toBe('CLOSED');
    await clock.advance(CLOSE_TIMEOUT_MS);
    expect((await closed).confirmed).toBe(false);
    await settle();
    expect(clock.pendingTimers).toBe(0);
  });

  it('an abort fails the offer with CLOSED and deletes what comes late', async () => {
    let answerLate = (): void => undefined;
    const server = await serve((seen, response) => {
      if (seen.method === 'POST') answerLate = () => created(response, '/late');
      else response.end();
    });
    const abort = new AbortController();
    const failed = failureOf(signallerTo(server).offer(OFFER, abort.signal));
    await server.received(1);
    abort.abort();
    expect((await failed).code).toBe('CLOSED');
    answerLate();
    await server.received(2);
    expect(server.seen[1]).toMatchObject({ method: 'DELETE', path: '/late' });
  });

  it('asks nothing for a signal that is aborted already', async () => {
    const server = await serve((_, response) => created(response));
    expect((await failureOf(signallerTo(server).offer(OFFER, AbortSignal.abort()))).code).toBe('CLOSED');
    expect(server.seen).toHaveLength(0);
  });
});

describe('WhipSignaller: arguments', () => {
  it.each(['', 'whip/demo', 'ftp://127.0.0.1/whip', 'http://user:pass@127.0.0.1/whip'])(
    'refuses the URL "%s"',
    (url) => {
      expect(() => new WhipSignaller({ url })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    },
  );

  it.each(['', 'two words', 'line\nbreak', 'ünicode'])('refuses the token %j without repeating it', (token) => {
    expect(() => new WhipSignaller({ url: 'http://127.0.0.1/', token })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.not.stringContaining(token || 'WHIPX') }),
    );
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a timeout of %d', (requestTimeoutMs) => {
    expect(() => new WhipSignaller({ url: 'http://127.0.0.1/', requestTimeoutMs })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('describes itself without query, where keys may hide', () => {
    const signaller = new WhipSignaller({ url: 'https://sfu.example/whip/a?key=hidden' });
    expect(signaller.description).toBe('WHIP https://sfu.example/whip/a');
  });
});
