import { ReloadView } from '../schema/reload-schema.js';
import { type ApiRoute, route } from './api-route.js';

/** The configuration, for programs that cannot send a signal. */
export function reloadRoutes(reload: () => Promise<ReloadView>): readonly ApiRoute[] {
  return [
    route(
      {
        method: 'POST',
        path: '/v1/reload',
        operationId: 'reload',
        summary: 'Reads the configuration again and follows it; what is the same in it goes on',
        role: 'control',
        responses: { 200: { description: 'What has been done', schema: ReloadView } },
        problems: [400, 409, 410],
      },
      async () => ({ status: 200, body: await reload() }),
    ),
  ];
}
