import { spawn } from 'node:child_process';

/** What a program came to. */
export interface CommandResult {
  readonly code: number | null;
  /** Both of its outputs, as they came. */
  readonly output: string;
}

/** Runs a program to its end, or kills it when the time is over. @param input for its standard input */
export function runCommand(
  file: string,
  args: readonly string[],
  {
    input = '',
    timeoutMs = 100_000,
    cwd,
  }: { readonly input?: string; readonly timeoutMs?: number; readonly cwd?: string } = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'pipe', timeout: timeoutMs, ...(cwd === undefined ? {} : { cwd }) });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
    child.stdin.end(input);
  });
}
