import { type Static, Type } from 'typebox';
import { PublisherSpec } from './publisher-schema.js';

/** How the control API is reached, and by whom. */
export const HttpSpec = Type.Object(
  {
    host: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        default: '127.0.0.1',
        description: 'Address that is listened on; any but a loopback address needs tokens.',
      }),
    ),
    port: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65_535, default: 8090, description: '0 for any free one.' }),
    ),
    allowedHosts: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
        maxItems: 64,
        description: 'Names that requests may be addressed to, beside addresses and localhost; without ports.',
      }),
    ),
    tokens: Type.Optional(
      Type.Array(
        Type.Object(
          {
            role: Type.Enum(['read', 'control']),
            token: Type.String({ minLength: 16, maxLength: 4096, writeOnly: true }),
          },
          { additionalProperties: false },
        ),
        { maxItems: 64, description: 'Bearer tokens; best taken from the environment.' },
      ),
    ),
  },
  { additionalProperties: false },
);
export type HttpSpec = Static<typeof HttpSpec>;

/** A whole configuration of the service. */
export const ServiceSpec = Type.Object(
  {
    http: Type.Optional(HttpSpec),
    log: Type.Optional(
      Type.Object(
        { level: Type.Optional(Type.Enum(['debug', 'info', 'warn', 'error'], { default: 'info' })) },
        { additionalProperties: false },
      ),
    ),
    publishers: Type.Optional(Type.Array(PublisherSpec, { maxItems: 256 })),
  },
  {
    additionalProperties: false,
    title: 'Configuration of framelock serve',
    description: 'YAML or JSON; values may name variables of the environment, see docs/service.md.',
  },
);
export type ServiceSpec = Static<typeof ServiceSpec>;
