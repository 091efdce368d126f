import { type Static, Type } from 'typebox';
import { EncodingGrant } from './encoding-schema.js';
import { Generation, Identifier } from './identifiers.js';

/** Most cameras of one publisher. */
export const MAX_TRACKS = 64;

const Bitrate = Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: 'Bits per second.' });

const ENTRY = {
  weight: Type.Number({
    minimum: 0,
    maximum: 1_000_000,
    description: 'Relative share; 0 pauses the camera.',
    default: 1,
  }),
  minBps: Type.Integer({
    minimum: 0,
    maximum: 1_000_000_000,
    description: 'The least that it is worth sending with, in bits per second.',
    default: 0,
  }),
  maxBps: Type.Integer({
    minimum: 0,
    maximum: 1_000_000_000,
    description: 'The most that it can use, in bits per second. Default: no limit.',
  }),
  priority: Type.Integer({
    minimum: -100,
    maximum: 100,
    description: 'Class: where the budget does not cover every minimum, those of a higher class come first.',
    default: 0,
  }),
  enforceMinimum: Type.Boolean({
    description:
      'Never paused for want of budget: it gets its minimum even where that exceeds the budget. For the camera that is driven by.',
    default: false,
  }),
  paused: Type.Boolean({ description: 'Whether it is not sent, whatever its weight.', default: false }),
};

/** What a document asks for one camera. */
export const AllocationEntry = Type.Partial(Type.Object(ENTRY), { additionalProperties: false });
export type AllocationEntry = Static<typeof AllocationEntry>;

/** The same with every default filled in. */
export const CompleteAllocationEntry = Type.Object({ ...ENTRY, maxBps: Type.Optional(ENTRY.maxBps) });
export type CompleteAllocationEntry = Static<typeof CompleteAllocationEntry>;

/** Wishes by camera; a camera that is not named has the defaults. */
export const AllocationEntries = Type.Record(Identifier, AllocationEntry, {
  additionalProperties: false,
  maxProperties: MAX_TRACKS,
  description: 'Wishes by track id. A camera that is not named has the defaults.',
});
export type AllocationEntries = Static<typeof AllocationEntries>;

/** A whole document, as a configuration gives it. */
export const AllocationDocument = Type.Object({ tracks: AllocationEntries }, { additionalProperties: false });
export type AllocationDocument = Static<typeof AllocationDocument>;

/** Documents by name. */
export const Presets = Type.Record(Identifier, AllocationDocument, { additionalProperties: false, maxProperties: 64 });
export type Presets = Static<typeof Presets>;

/** Longest lease, in milliseconds: a controller that lives renews more often than that. */
const MAX_LEASE_MS = 600_000;

/** A controller's claim on the allocation. */
export const LeaseRequest = Type.Object(
  {
    owner: Identifier,
    ttlMs: Type.Integer({
      minimum: 100,
      maximum: MAX_LEASE_MS,
      description: 'How long it lasts without being repeated, in milliseconds.',
    }),
  },
  {
    additionalProperties: false,
    description: 'Renewed by repeating the call; when it expires the base allocation comes back.',
  },
);
export type LeaseRequest = Static<typeof LeaseRequest>;

/** What `PUT .../allocation` takes: either `tracks` or `preset`. */
export const AllocationRequest = Type.Object(
  {
    tracks: Type.Optional(AllocationEntries),
    preset: Type.Optional(Identifier),
    lease: Type.Optional(LeaseRequest),
    takeover: Type.Optional(
      Type.Boolean({ description: 'Takes the allocation from whoever holds a lease on it.', default: false }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Either "tracks" or "preset". Without a lease it becomes the base allocation.',
  },
);
export type AllocationRequest = Static<typeof AllocationRequest>;

/** What a camera is granted. */
export const Grant = Type.Object({
  trackId: Identifier,
  targetBps: Bitrate,
  paused: Type.Boolean(),
  reason: Type.String({ description: 'Why: "weight", "paused-by-weight" and others; new ones may come.' }),
  encodings: Type.Optional(
    Type.Array(EncodingGrant, { description: 'What each encoding has of it, where the camera is sent as simulcast.' }),
  ),
});
export type Grant = Static<typeof Grant>;

const StandingDocument = Type.Object({
  preset: Type.Optional(Identifier),
  tracks: Type.Record(Identifier, CompleteAllocationEntry),
});

/** What `GET` and `PUT .../allocation` answer. */
export const AllocationView = Type.Object({
  publisherId: Identifier,
  generation: Generation,
  revision: Type.Integer({ minimum: 1, description: 'Counts changes; the ETag is made of it.' }),
  dryRun: Type.Boolean({ description: 'Whether nothing was changed.' }),
  inForce: Type.Enum(['base', 'lease']),
  base: StandingDocument,
  lease: Type.Optional(
    Type.Object({
      owner: Identifier,
      ttlMs: Type.Integer(),
      expiresInMs: Type.Integer({ minimum: 0 }),
      document: StandingDocument,
    }),
  ),
  targetBps: Type.Number({ description: 'What is divided, in bits per second.' }),
  grants: Type.Array(Grant),
  presets: Type.Array(Identifier),
});
export type AllocationView = Static<typeof AllocationView>;
