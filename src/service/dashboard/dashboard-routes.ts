import { type ApiRoute, route } from '../api/api-route.js';
import { listPageFiles, type PageFile, PageFiles } from './page-files.js';

/** The page loads nothing but what this service serves, and talks to nobody else. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  'cross-origin-opener-policy': 'same-origin',
};

/** The dashboard: static files, for everybody; what they show needs a token where there are tokens. They are no part of the API's description. */
export function dashboardRoutes(): readonly ApiRoute[] {
  const files = new PageFiles();
  return listPageFiles().map((file) => fileRoute(file, files));
}

function fileRoute(file: PageFile, files: PageFiles): ApiRoute {
  return route(
    {
      method: 'GET',
      path: file.path,
      operationId: `getPage${file.path}`,
      summary: 'A file of the dashboard',
      role: 'public',
      responses: { 200: { description: 'The file' } },
    },
    async () => ({
      status: 200,
      headers: { ...HEADERS, 'content-type': file.contentType },
      body: await files.read(file),
    }),
  );
}
