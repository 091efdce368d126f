// Proves that the rules for folders bite: every file under test/fixtures/import-rules/refused breaks one and must be refused, every file under
// allowed must pass. A rule that no longer matches anything would otherwise look like a clean project.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const RULES = ['style/noRestrictedImports', 'style/noRestrictedGlobals'];
const FIXTURES = 'test/fixtures/import-rules';
const biome = resolve('node_modules/.bin/biome');

const wrong = [...(await judge('refused', true)), ...(await judge('allowed', false))];
if (wrong.length > 0) {
  console.error(`The import rules do not hold:\n${wrong.map((line) => `  ${line}`).join('\n')}`);
  process.exitCode = 1;
} else {
  console.log('The import rules refuse every bad fixture and allow every good one.');
}

/** Lints one set of fixtures in a copy of the project's configuration; returns the files with the wrong verdict. */
async function judge(set, shouldBeRefused) {
  const root = mkdtempSync(join(tmpdir(), 'import-gate-'));
  try {
    cpSync('biome.json', join(root, 'biome.json'));
    cpSync(join(FIXTURES, set), root, { recursive: true });
    const files = readdirSync(root, { recursive: true }).filter((file) => file.endsWith('.ts'));
    if (files.length === 0) return [`no fixtures in ${set}`];
    const refused = await refusedFiles(root);
    return files
      .filter((file) => refused.has(file) !== shouldBeRefused)
      .map((file) => `${file} was ${shouldBeRefused ? 'allowed' : 'refused'}`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function refusedFiles(root) {
  const output = await new Promise((done) => {
    const args = [
      'lint',
      '--reporter=json',
      '--max-diagnostics=none',
      '--vcs-enabled=false',
      ...RULES.map((rule) => `--only=${rule}`),
      '.',
    ];
    execFile(biome, args, { cwd: root }, (_error, stdout) => done(stdout));
  });
  const { diagnostics } = JSON.parse(output);
  return new Set(diagnostics.map(({ location }) => location.path));
}
