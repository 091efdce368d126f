import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** A file of the page. */
export interface PageFile {
  /** In URLs. Modules keep their places to one another, so that their imports lead from one to the other. */
  readonly path: string;
  readonly url: URL;
  readonly contentType: string;
}

const TYPES = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** `src` with the sources, or `dist` with what was built of them. */
const ROOT = new URL('../../', import.meta.url);
/** Of the sources TypeScript is served as JavaScript. */
const MODULE = /\.(?:js|ts)$/;
const FOLDERS = ['service/client/', 'service/dashboard/page/'];

/** Everything that the page may load: its own files, the client of the API and the diagrams. Nothing else is reachable, whatever is asked for. */
export function listPageFiles(): readonly PageFile[] {
  const require = createRequire(import.meta.url);
  const packaged = (file: string): URL => pathToFileURL(require.resolve(`uplot/dist/${file}`));
  const modules = FOLDERS.flatMap((folder) =>
    readdirSync(new URL(folder, ROOT))
      .filter((name) => MODULE.test(name) && !name.endsWith('.d.ts'))
      .map((name) => moduleFile(`${folder}${name}`)),
  );
  return [
    { path: '/', url: new URL('page/index.html', import.meta.url), contentType: TYPES.html },
    { path: '/dashboard/page.css', url: new URL('page/page.css', import.meta.url), contentType: TYPES.css },
    { path: '/dashboard/uplot.css', url: packaged('uPlot.min.css'), contentType: TYPES.css },
    { path: '/dashboard/service/dashboard/page/uplot.js', url: packaged('uPlot.esm.js'), contentType: TYPES.js },
    moduleFile(`client${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`),
    ...modules,
  ];
}

function moduleFile(name: string): PageFile {
  return {
    path: `/dashboard/${name.replace(MODULE, '.js')}`,
    url: new URL(name, ROOT),
    contentType: TYPES.js,
  };
}

/** Reads files of the page, each once. */
export class PageFiles {
  readonly #texts = new Map<string, Promise<string>>();

  read({ path, url }: PageFile): Promise<string> {
    const text = this.#texts.get(path) ?? textOf(url);
    this.#texts.set(path, text);
    return text;
  }
}

async function textOf(url: URL): Promise<string> {
  const text = await readFile(url, 'utf8');
  if (!url.pathname.endsWith('.ts')) return text;
  // Only where the program runs from its sources, and with it its tools are there.
  const { default: typescript } = await import('typescript');
  const { ModuleKind, ScriptTarget } = typescript;
  const compilerOptions = { target: ScriptTarget.ES2022, module: ModuleKind.ES2022, verbatimModuleSyntax: true };
  return typescript.transpileModule(text, { compilerOptions }).outputText;
}
