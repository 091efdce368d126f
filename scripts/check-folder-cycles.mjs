// Proves that folders beside one another depend on each other in one direction only. Types are left out: a port that its user declares points upwards.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import ts from 'typescript';

const FIXTURE = 'test/fixtures/folder-cycles';

const missed = cyclesIn(FIXTURE).length === 0;
const cycles = cyclesIn('src');
if (missed || cycles.length > 0) {
  const found = cycles.map((cycle) => `  ${cycle.join(' -> ')}`);
  console.error(
    missed ? `The cycle in ${FIXTURE} was not found.` : `Folders depend on each other:\n${found.join('\n')}`,
  );
  process.exitCode = 1;
} else {
  console.log('No two folders depend on each other.');
}

/** Paths through folders that lead back to where they began. */
function cyclesIn(root) {
  const edges = edgesIn(root);
  const done = new Set();
  const cycles = [];
  for (const folder of edges.keys()) visit(folder, []);
  return cycles;

  function visit(folder, path) {
    if (path.includes(folder)) return void cycles.push([...path.slice(path.indexOf(folder)), folder]);
    if (done.has(folder)) return;
    for (const next of edges.get(folder) ?? []) visit(next, [...path, folder]);
    done.add(folder);
  }
}

/** Which folders import values from which ones beside them: each pair of files counts where their paths part. */
function edgesIn(root) {
  const edges = new Map();
  const files = readdirSync(root, { recursive: true }).filter((name) => name.endsWith('.ts'));
  for (const file of files.map((name) => join(root, name))) {
    for (const imported of valueImports(file)) {
      const from = relative(root, dirname(file)).split(sep);
      const to = relative(root, dirname(imported)).split(sep);
      const fork = from.findIndex((name, depth) => name !== to[depth]);
      // A folder and what is in it are one house.
      if (fork < 0 || from[fork] === '' || to[fork] === undefined || to[fork] === '' || to[fork] === '..') continue;
      const [user, used] = [from, to].map((path) => path.slice(0, fork + 1).join('/'));
      edges.set(user, (edges.get(user) ?? new Set()).add(used));
    }
  }
  return edges;
}

function valueImports(file) {
  const { statements } = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  return statements
    .filter((node) => (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && !isTypeOnly(node))
    .map(({ moduleSpecifier }) => moduleSpecifier?.text ?? '')
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => join(dirname(file), specifier));
}

function isTypeOnly(node) {
  const clause = node.importClause ?? node;
  if (clause.isTypeOnly) return true;
  const named = (node.importClause?.namedBindings ?? node.exportClause)?.elements;
  return clause.name === undefined && named !== undefined && named.length > 0 && named.every((name) => name.isTypeOnly);
}
