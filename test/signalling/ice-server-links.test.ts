import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ICE_SERVERS, readIceServers } from '../../src/signalling/whip/ice-server-links.js';

describe('ICE servers in Link headers', () => {
  it('are read with their credentials, several in one header or joined', () => {
    // The example of RFC 9725 section 4.6, joined as fetch joins headers of one name.
    const header =
      '<stun:stun.example.net>; rel="ice-server", ' +
      '<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; credential="myPassword"; credential-type="password", ' +
      '<turns:turn.example.net?transport=tcp>;rel=ice-server;username=user;credential=my';
    expect(readIceServers(header)).toEqual([
      { urls: 'stun:stun.example.net' },
      { urls: 'turn:turn.example.net?transport=udp', username: 'user', credential: 'myPassword' },
      { urls: 'turns:turn.example.net?transport=tcp', username: 'user', credential: 'my' },
    ]);
  });

  it('may have their question mark escaped, as LiveKit does', () => {
    expect(
      readIceServers('<turn:turn.example.net:443%3Ftransport=tcp>; rel="ice-server"; username="u"; credential="p"'),
    ).toEqual([{ urls: 'turn:turn.example.net:443?transport=tcp', username: 'u', credential: 'p' }]);
  });

  it('may have commas, semicolons and quotes in their credentials', () => {
    const header = '<turn:a>; rel="ice-server"; username="a,b;<c>"; credential="d\\"e"';
    expect(readIceServers(header)).toEqual([{ urls: 'turn:a', username: 'a,b;<c>', credential: 'd"e' }]);
  });

  it.each([
    ['another relation', '<stun:a>; rel="next"'],
    ['no relation', '<stun:a>'],
    ['another scheme', '<https://a>; rel="ice-server"'],
    ['a relay without credentials', '<turn:a>; rel="ice-server"; username="b"'],
    [
      'credentials of another type',
      '<turn:a>; rel="ice-server"; username="b"; credential="c"; credential-type="oauth"',
    ],
    ['a link without an end', '<stun:a; rel="ice-server"'],
    ['nothing', ''],
  ])('are none with %s', (_, header) => {
    expect(readIceServers(header)).toEqual([]);
    expect(readIceServers(`${header}, <stun:b>; rel="ice-server"`)).toEqual(
      header.includes('>') || header === '' ? [{ urls: 'stun:b' }] : [],
    );
  });

  it('are as many as can be of use, and no header takes long', () => {
    const header = '<stun:a>; rel="ice-server",'.repeat(1000);
    expect(readIceServers(header)).toHaveLength(MAX_ICE_SERVERS);
    fc.assert(
      fc.property(fc.array(fc.constantFrom('<', '>', ';', ',', '"', '\\', '=', ' ', 'rel', 'stun:')), (pieces) => {
        for (const { urls } of readIceServers(pieces.join(''))) expect(urls).toMatch(/^stun:/);
      }),
    );
  });
});
