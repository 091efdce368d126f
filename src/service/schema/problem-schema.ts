import { type Static, Type } from 'typebox';

/** A problem document (RFC 9457); what follows `detail` are extension members (section 3.2). */
export const Problem = Type.Object({
  type: Type.Literal('about:blank'),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: Type.String({ description: 'What happened, for people.' }),
  code: Type.String({ description: 'What happened, for programs: stable, and listed in docs/errors.md.' }),
  violations: Type.Optional(
    Type.Array(
      Type.Object({
        path: Type.String({ description: 'JSON pointer (RFC 6901) to the field; empty for the document itself.' }),
        rule: Type.String(),
        message: Type.String(),
      }),
      { description: 'Every field that is wrong.' },
    ),
  ),
  lease: Type.Optional(
    Type.Object(
      {
        owner: Type.String(),
        expiresInMs: Type.Integer({
          minimum: 1,
          description: 'Until it expires if it is not renewed, in milliseconds.',
        }),
      },
      { description: 'With LEASE_HELD: the lease of the other controller.' },
    ),
  ),
});
export type Problem = Static<typeof Problem>;
