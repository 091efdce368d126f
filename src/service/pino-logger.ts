import { type Logger as Pino, pino } from 'pino';
import type { LogFields, Logger } from '../core/logger.js';
import { LogOutput, type LogStream } from './log-output.js';

/** Levels of the log, in ascending order. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A log that is never waited for. */
export interface ServiceLog extends Logger {
  /** Lines that have been left out since the start, see {@link LogOutput}. */
  readonly linesLost: number;
}

/**
 * Log lines as JSON, one a line, with the time as ISO 8601 and the level by name. Once lines had to be left out ({@link LogOutput}), each later one tells how many
 * have been so far, as `linesLost`.
 * @param destination where they go @default stdout
 */
export function pinoLogger(level: LogLevel, destination: LogStream = process.stdout): ServiceLog {
  const output = new LogOutput(destination);
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin: () => (output.linesLost === 0 ? {} : { linesLost: output.linesLost }),
  };
  return asLogger(pino(options, output), output);
}

function asLogger(log: Pino, output: LogOutput): ServiceLog {
  return {
    get linesLost() {
      return output.linesLost;
    },
    debug: (message: string, fields: LogFields = {}) => log.debug(fields, message),
    info: (message: string, fields: LogFields = {}) => log.info(fields, message),
    warn: (message: string, fields: LogFields = {}) => log.warn(fields, message),
    error: (message: string, fields: LogFields = {}) => log.error(fields, message),
  };
}
