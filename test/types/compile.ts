import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What the compiler has against a program. */
export interface Diagnosis {
  /** As in `TS2345`. */
  readonly code: number;
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

/**
 * Type-checks small programs as if they were files in this folder, with the project's own compiler options, and returns what is wrong with
 * each, nothing if it compiles.
 */
export function compile(programs: ReadonlyMap<string, string>): ReadonlyMap<string, readonly Diagnosis[]> {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const parsed = ts.parseJsonConfigFileContent(config.config, { ...ts.sys, readDirectory: () => [] }, ROOT);
  const options: ts.CompilerOptions = { ...parsed.options, incremental: false };
  delete options.tsBuildInfoFile;
  const names = Array.from(programs.keys());
  const sources = new Map(Array.from(programs, ([name, source]) => [fixturePath(name), source]));
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
  return new Map(
    names.map((name) => [
      name,
      ts.getPreEmitDiagnostics(program, program.getSourceFile(fixturePath(name))).map(diagnose),
    ]),
  );
}

function diagnose({ code, file, start = 0, messageText }: ts.Diagnostic): Diagnosis {
  const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
  return { code, line, message: ts.flattenDiagnosticMessageText(messageText, '\n') };
}

function fixturePath(name: string): string {
  return join(ROOT, 'test', 'types', `${name}.fixture.ts`);
}
