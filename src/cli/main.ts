import { readFileSync } from 'node:fs';
import { SystemClock } from '../core/clock.js';
import { describeError, isFramelockError } from '../core/errors.js';
import { type Command, parseCommandLine } from './command-line.js';
import { runDemo } from './demo.js';
import { EXIT_CODES, exitCodeOf } from './exit-codes.js';
import { helpText } from './help.js';
import { Interruption } from './interruption.js';
import { runProbe } from './probe.js';
import { runPublish } from './publish.js';
import { colourPalette, plainPalette } from './status-table.js';
import { Terminal } from './terminal.js';

/** For output to be flushed. */
const EXIT_GRACE_MS = 250;

async function run(command: Command): Promise<void> {
  switch (command.command) {
    case 'help':
      process.stdout.write(helpText(command.topic));
      return;
    case 'version':
      process.stdout.write(`${version()}\n`);
      return;
    default:
      await runLive(command);
  }
}

async function runLive(command: Exclude<Command, { command: 'help' | 'version' }>): Promise<void> {
  const interruption = new Interruption(process, () => process.exit(EXIT_CODES.failure));
  const colours = process.env['NO_COLOR'] === undefined;
  const environment = {
    clock: new SystemClock(),
    interruption,
    output: process.stdout,
    errors: process.stderr,
    palette: process.stdout.isTTY && colours ? colourPalette : plainPalette,
    terminal: new Terminal({
      output: process.stdout,
      errors: process.stderr,
      json: command.json,
      colours,
    }),
  };
  try {
    if (command.command !== 'serve') interruption.endWithTerminal(process.stdout);
    if (command.command === 'demo') await runDemo(command, environment);
    else if (command.command === 'publish') await runPublish(command, environment);
    else if (command.command === 'probe') await runProbe(command, environment);
    else if (command.command === 'bench') {
      const { runBench } = await import('./bench.js');
      await runBench(command, environment);
    } else {
      // What only it needs would make the other commands start later.
      const { runServe } = await import('./serve.js');
      await runServe(command, { ...environment, version: version() });
    }
  } catch (error) {
    // Ctrl-C while connecting cancels the connect: that is an orderly end.
    if (!interruption.signal.aborted || !isFramelockError(error, 'CLOSED')) throw error;
    // Without figures there is nothing that a script could go on with.
    if (command.command === 'bench') process.exitCode = EXIT_CODES.interrupted;
  } finally {
    interruption.dispose();
    if (interruption.isHungUp && [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY)) {
      // Drained. An exit would put the terminal back as it was, which has gone: Node aborts then (src/node.cc, ResetStdio).
      process.kill(process.pid, 'SIGHUP');
    }
  }
}

function version(): string {
  const { version: text } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return text;
}

// A reader that has gone is no failure: without listeners it would be one.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
try {
  await run(parseCommandLine(process.argv.slice(2), process.env));
} catch (error) {
  const hint = isFramelockError(error, 'USAGE') ? ' (framelock help shows the options)' : '';
  process.stderr.write(`framelock: ${describeError(error)}${hint}\n`);
  process.exitCode = exitCodeOf(error);
}
// Everything has been drained and closed. What may still be pending is a timer of a library that was cut off half-way through a handshake.
setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
