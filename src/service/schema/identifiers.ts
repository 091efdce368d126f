import { Type } from 'typebox';

/** Names of publishers, tracks, presets and owners of leases: they travel in URLs, headers, SDP and metric labels. */
export const Identifier = Type.String({
  pattern: '^[A-Za-z0-9._-]{1,64}$',
  description: '1-64 characters of A-Z a-z 0-9 . _ -',
});

/** Tells things apart that had the same id, one after the other. */
export const Generation = Type.Integer({ minimum: 1, description: 'Tells it from earlier ones of the same id.' });
