import { type Static, Type } from 'typebox';
import { Identifier } from './identifiers.js';

/** Most m-lines of an offer that are read. */
const MAX_PREVIEWED = 32;

const Sdp = Type.String({ minLength: 1, maxLength: 65_536 });

/** What a viewer on this machine offers. */
export const PreviewRequest = Type.Object(
  {
    sdp: Type.String({
      minLength: 1,
      maxLength: 65_536,
      description: 'An SDP offer that receives video, with one m-line a camera.',
    }),
    tracks: Type.Array(Identifier, {
      minItems: 1,
      maxItems: MAX_PREVIEWED,
      uniqueItems: true,
      description: 'What the m-lines show, in their order; also cameras that are yet to come.',
    }),
  },
  { additionalProperties: false },
);
export type PreviewRequest = Static<typeof PreviewRequest>;

/** What it is answered. */
export const PreviewView = Type.Object({
  session: Identifier,
  sdp: Sdp,
});
export type PreviewView = Static<typeof PreviewView>;
