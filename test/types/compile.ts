import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Type-checks small programs as if they were files in this folder, with the project's own compiler options, and returns the messages of
 * each, empty if it compiles.
 */
export function compile<Name extends string>(programs: Readonly<Record<Name, string>>): Record<Name, string[]> {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const parsed = ts.parseJsonConfigFileContent(config.config, { ...ts.sys, readDirectory: () => [] }, ROOT);
  const options: ts.CompilerOptions = { ...parsed.options, incremental: false };
  delete options.tsBuildInfoFile;
  const names = Object.keys(programs) as Name[];
  const sources = new Map(names.map((name) => [fixturePath(name), programs[name]]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const source = sources.get(path);
    return source === undefined
      ? getSourceFile(path, languageVersion, ...rest)
      : ts.createSourceFile(path, source, languageVersion, true);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  const messages = (name: Name) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(fixturePath(name)))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  return Object.fromEntries(names.map((name) => [name, messages(name)])) as Record<Name, string[]>;
}

function fixturePath(name: string): string {
  return join(ROOT, 'test', 'types', `${name}.fixture.ts`);
}
