import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Clock } from '../core/clock.js';
import { describeError } from '../core/errors.js';
import { readServiceConfig } from '../service/config/service-config.js';
import { defaultParts } from '../service/default-parts.js';
import { pinoLogger } from '../service/pino-logger.js';
import { PublisherService } from '../service/publisher-service.js';
import type { ServiceSpec } from '../service/schema/service-schema.js';
import type { ServeCommand } from './command-line.js';
import type { Interruption } from './interruption.js';
import { liveUntilInterrupted } from './service-life.js';
import type { Output } from './terminal.js';
import { usageError } from './usage-error.js';

/** Runs `framelock serve` until it is interrupted; SIGHUP makes it follow its configuration file. @throws FramelockError */
export async function runServe(
  command: ServeCommand,
  environment: {
    readonly interruption: Interruption;
    readonly clock: Clock;
    readonly output: Output;
    readonly version: string;
  },
): Promise<void> {
  const { interruption, clock, output, version } = environment;
  const spec = await readSpec(command.config);
  if (command.check) {
    output.write(`${basename(command.config)} is valid: ${summaryOf(spec)}\n`);
    return;
  }
  const logger = pinoLogger(spec.log?.level ?? 'info');
  const readAgain = () => readSpec(command.config);
  const service = new PublisherService({
    spec,
    parts: defaultParts(clock, logger),
    version,
    readSpec: readAgain,
    linesLost: () => logger.linesLost,
  });
  await liveUntilInterrupted(service, { process, interruption, logger }, summaryOf(spec));
}

async function readSpec(path: string): Promise<ServiceSpec> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw usageError(`--config ${path}: ${describeError(error)}`, error);
  }
  return readServiceConfig(text, basename(path), process.env);
}

function summaryOf({ publishers = [] }: ServiceSpec): string {
  const cameras = publishers.reduce((sum, { tracks = [] }) => sum + tracks.length, 0);
  return `${counted(publishers.length, 'publisher')}, ${counted(cameras, 'camera')}`;
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
