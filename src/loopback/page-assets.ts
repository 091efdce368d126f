import { readFile } from 'node:fs/promises';
import type { RawRoute } from './http/http-route.js';

const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

const ASSETS = [
  { path: '/', file: 'index.html', type: TYPES.html },
  { path: '/page.css', file: 'page.css', type: TYPES.css },
  { path: '/page.js', file: 'page.js', type: TYPES.js },
  { path: '/camera-card.js', file: 'camera-card.js', type: TYPES.js },
  { path: '/format.js', file: 'format.js', type: TYPES.js },
  { path: '/whep-viewer.js', file: 'whep-viewer.js', type: TYPES.js },
];

/** Routes of the viewer page. Its files lie beside this one: in `src`, and in `dist` after the build has copied them. */
export function pageRoutes(): RawRoute[] {
  return ASSETS.map(({ path, file, type }) => ({
    method: 'GET',
    path,
    handle: async ({ response }) => {
      const content = await readFile(new URL(`./page/${file}`, import.meta.url));
      response.writeHead(200, { 'content-type': type }).end(content);
    },
  }));
}
