import { type Static, Type } from 'typebox';

/** A problem document (RFC 9457). */
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
});
export type Problem = Static<typeof Problem>;
