import { describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import { LeaseHeld } from '../../src/service/allocation/lease-held.js';
import { problemOf } from '../../src/service/api/api-problem.js';
import { InvalidDocument } from '../../src/service/schema/invalid-document.js';
import { Problem } from '../../src/service/schema/problem-schema.js';
import { Validator } from '../../src/service/schema/validator.js';

describe('a problem document', () => {
  it('names the owner of a lease and how long it lasts as members, so that no program reads the text', () => {
    const { body } = problemOf(new LeaseHeld({ owner: 'console', expiresInMs: 740 }));
    expect(body).toMatchObject({ status: 409, code: 'LEASE_HELD', lease: { owner: 'console', expiresInMs: 740 } });
    expect(new Validator().violations(Problem, body)).toEqual([]);
  });

  it('names every field that is wrong', () => {
    const violation = { path: '/tracks/0', rule: 'required', message: 'needs an id' };
    expect(problemOf(new InvalidDocument('the body', [violation])).body).toMatchObject({ violations: [violation] });
  });

  it('tells no more of other errors than what happened', () => {
    const { body } = problemOf(new FramelockError('TRACK_NOT_FOUND', 'no such camera', { context: { secret: 'x' } }));
    expect(Object.keys(body).sort()).toEqual(['code', 'detail', 'status', 'title', 'type']);
  });
});
