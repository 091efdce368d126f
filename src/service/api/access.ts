import { createHash, timingSafeEqual } from 'node:crypto';
import { ApiProblem } from './api-problem.js';

/** What a caller may do: `control` may do everything, `read` looks only, `public` is what everybody may see. */
export type Role = 'public' | 'read' | 'control';

/** A bearer token (RFC 6750) and what it is good for. */
export interface AccessToken {
  readonly role: Exclude<Role, 'public'>;
  readonly token: string;
}

/**
 * Decides who may call what. Without any token everybody may do everything, which is for loopback only. Only digests of the tokens are kept,
 * and each is compared with all of them in constant time: how long it takes tells nothing about them.
 */
export class Access {
  readonly #known: readonly { readonly role: Role; readonly digest: Buffer }[];

  constructor(tokens: readonly AccessToken[]) {
    this.#known = tokens.map(({ role, token }) => ({ role, digest: digestOf(token) }));
  }

  /**
   * @param authorization the `Authorization` header
   * @throws ApiProblem 401, 403
   */
  assert(needed: Role, authorization: string | undefined): void {
    if (needed === 'public' || this.#known.length === 0) return;
    const role = this.#roleOf(authorization);
    if (role === undefined) {
      const why =
        authorization === undefined
          ? 'this call needs a token: Authorization: Bearer TOKEN'
          : 'this is not a token of the service; what it needs is Authorization: Bearer TOKEN';
      throw new ApiProblem(401, 'TOKEN_REQUIRED', why, { 'www-authenticate': 'Bearer' });
    }
    if (needed === 'control' && role !== 'control') {
      throw new ApiProblem(403, 'ROLE_REQUIRED', 'this call needs a token with the role "control"', {
        'www-authenticate': 'Bearer error="insufficient_scope", scope="control"',
      });
    }
  }

  /** Whether a caller that may read may do everything. */
  mayControl(authorization: string | undefined): boolean {
    return this.#known.length === 0 || this.#roleOf(authorization) === 'control';
  }

  #roleOf(authorization: string | undefined): Role | undefined {
    const [, token] = /^bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    if (token === undefined) return undefined;
    const digest = digestOf(token);
    let role: Role | undefined;
    // All of them, also after a match.
    for (const known of this.#known) if (timingSafeEqual(known.digest, digest)) role = known.role;
    return role;
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
