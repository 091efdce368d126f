import { type Static, Type } from 'typebox';

/** What a caller may do. */
export const AccessView = Type.Object({
  role: Type.Enum(['read', 'control'], { description: 'control may do everything, read looks only.' }),
});
export type AccessView = Static<typeof AccessView>;
