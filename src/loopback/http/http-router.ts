import { HttpProblem } from './http-problem.js';
import type { RawRoute } from './http-route.js';

interface CompiledRoute {
  readonly route: RawRoute;
  readonly segments: readonly string[];
}

/** A route and the values of its path. */
export interface RouteMatch {
  readonly route: RawRoute;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the route of a request; the first match wins. */
export class HttpRouter {
  readonly #routes: readonly CompiledRoute[];

  constructor(routes: readonly RawRoute[]) {
    this.#routes = routes.map((route) => ({ route, segments: route.path.split('/') }));
  }

  /** @throws HttpProblem 400 (malformed escapes), 404, 405 */
  match(method: string, path: string): RouteMatch {
    const segments = decodeSegments(path);
    const allowed = new Set<string>();
    for (const { route, segments: pattern } of this.#routes) {
      const params = matchSegments(pattern, segments);
      if (params === undefined) continue;
      if (route.method === method) return { route, params };
      allowed.add(route.method);
    }
    if (allowed.size === 0) throw new HttpProblem(404, `there is nothing at ${path}`);
    const allow = [...allowed].join(', ');
    throw new HttpProblem(405, `${path} takes ${allow}, not ${method}`, { allow });
  }
}

function decodeSegments(path: string): string[] {
  try {
    return path.split('/').map(decodeURIComponent);
  } catch {
    throw new HttpProblem(400, 'the path has malformed escapes');
  }
}

function matchSegments(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index] ?? '';
    if (expected.startsWith('{')) params[expected.slice(1, -1)] = segment;
    else if (expected !== segment) return undefined;
  }
  return params;
}
