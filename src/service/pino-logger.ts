import { type DestinationStream, type Logger as Pino, pino } from 'pino';
import type { LogFields, Logger } from '../core/logger.js';

/** Levels of the log, in ascending order. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Log lines as JSON, one a line, with the time as ISO 8601 and the level by name.
 * @param destination where they go @default stdout
 */
export function pinoLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return asLogger(destination === undefined ? pino(options) : pino(options, destination));
}

function asLogger(log: Pino): Logger {
  return {
    debug: (message: string, fields: LogFields = {}) => log.debug(fields, message),
    info: (message: string, fields: LogFields = {}) => log.info(fields, message),
    warn: (message: string, fields: LogFields = {}) => log.warn(fields, message),
    error: (message: string, fields: LogFields = {}) => log.error(fields, message),
  };
}
