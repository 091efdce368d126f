import { type Static, Type } from 'typebox';

const Ids = (description: string) => Type.Array(Type.String(), { description });

/** What a reload did, as ids; cameras as `publisher/track`. */
export const ReloadReport = Type.Object({
  created: Ids('Publishers that are there now.'),
  closed: Ids('Publishers that are gone, or were made anew.'),
  changed: Ids(
    'Publishers of another bitrate, base allocation or presets, with the connection and the cameras that they had.',
  ),
  tracksAdded: Ids('Cameras, as publisher/track.'),
  tracksRemoved: Ids('Cameras, as publisher/track; those among the added were made anew.'),
  untouched: Ids('Publishers that are as they were.'),
});
export type ReloadReport = Static<typeof ReloadReport>;

/** What `POST /v1/reload` answers. */
export const ReloadView = Type.Object({
  ...ReloadReport.properties,
  restartFor: Type.Array(Type.Enum(['http', 'log']), {
    description: 'Parts that are not as they were at the start of the program, and hold after another start.',
  }),
});
export type ReloadView = Static<typeof ReloadView>;
