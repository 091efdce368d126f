import { AccessView } from '../schema/access-schema.js';
import type { Access } from './access.js';
import { type ApiRoute, route } from './api-route.js';

/** Tells callers what they may do, so that consoles need not find out by being refused. */
export function accessRoutes(access: Access): readonly ApiRoute[] {
  return [
    route(
      {
        method: 'GET',
        path: '/v1/access',
        operationId: 'getAccess',
        summary: 'Tells what the caller may do',
        role: 'read',
        responses: { 200: { description: 'Its role', schema: AccessView } },
      },
      ({ header }) => ({
        status: 200,
        body: { role: access.mayControl(header('authorization')) ? 'control' : 'read' },
      }),
    ),
  ];
}
