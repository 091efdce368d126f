import { describe, expect, it } from 'vitest';
import { Access, type Role } from '../../src/service/api/access.js';
import { ApiProblem } from '../../src/service/api/api-problem.js';
import { refuseForeignPages } from '../../src/service/api/origin-guard.js';

/** Code of the refusal; nothing if there is none. */
function refusal(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error instanceof ApiProblem ? error.code : `uncoded: ${String(error)}`;
  }
}

describe('access', () => {
  const access = new Access([
    { role: 'read', token: 'look-but-do-not-touch' },
    { role: 'control', token: 'may-do-everything' },
  ]);

  it.each<[Role, string | undefined, string | undefined]>([
    ['public', undefined, undefined],
    ['read', undefined, 'TOKEN_REQUIRED'],
    ['read', 'Bearer look-but-do-not-touch', undefined],
    ['read', 'bearer  look-but-do-not-touch', undefined],
    ['read', 'Bearer may-do-everything', undefined],
    ['read', 'Bearer look-but-do-not-touc', 'TOKEN_REQUIRED'],
    ['read', 'Basic look-but-do-not-touch', 'TOKEN_REQUIRED'],
    ['read', 'Bearer look-but-do-not-touch x', 'TOKEN_REQUIRED'],
    ['control', 'Bearer look-but-do-not-touch', 'ROLE_REQUIRED'],
    ['control', 'Bearer may-do-everything', undefined],
    ['control', 'Bearer ', 'TOKEN_REQUIRED'],
  ])('to "%s" calls with "%s" is refused with %s', (needed, authorization, expected) => {
    expect(refusal(() => access.assert(needed, authorization))).toBe(expected);
  });

  it('is free where there are no tokens', () => {
    expect(refusal(() => new Access([]).assert('control', undefined))).toBeUndefined();
  });
});

describe('a request', () => {
  it.each([
    ['127.0.0.1:8090', undefined, undefined],
    ['localhost', undefined, undefined],
    ['[::1]:8090', 'http://[::1]:8090', undefined],
    ['192.168.1.7:8090', undefined, undefined],
    ['Robot.Local:8090', 'http://Robot.Local:8090', undefined],
    ['localhost:8090', 'https://localhost:8090', undefined],
    ['evil.example', undefined, 'FOREIGN_HOST'],
    ['evil.example:8090', 'http://evil.example:8090', 'FOREIGN_HOST'],
    ['127.0.0.1.evil.example', undefined, 'FOREIGN_HOST'],
    ['localhost:8090:1', undefined, 'FOREIGN_HOST'],
    [undefined, undefined, 'FOREIGN_HOST'],
    ['localhost:8090', 'http://localhost:8091', 'FOREIGN_ORIGIN'],
    ['localhost:8090', 'http://evil.example', 'FOREIGN_ORIGIN'],
    ['localhost:8090', 'null', 'FOREIGN_ORIGIN'],
    ['localhost:8090', '', 'FOREIGN_ORIGIN'],
  ])('to %s from a page of %s is refused with %s', (host, origin, expected) => {
    expect(refusal(() => refuseForeignPages({ host, origin }, ['robot.local']))).toBe(expected);
  });
});
