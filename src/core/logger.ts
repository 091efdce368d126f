/** Facts logged beside a message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where log lines go. Implement it over pino, winston or the console; the default discards everything. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A logger that logs these facts beside every message of `logger`. */
export function withFields(logger: Logger, facts: LogFields): Logger {
  return {
    debug: (message, fields) => logger.debug(message, { ...facts, ...fields }),
    info: (message, fields) => logger.info(message, { ...facts, ...fields }),
    warn: (message, fields) => logger.warn(message, { ...facts, ...fields }),
    error: (message, fields) => logger.error(message, { ...facts, ...fields }),
  };
}

function discard(): void {
  // The default of a library: silence.
}

/** A logger that discards everything. */
export const silentLogger: Logger = Object.freeze({ debug: discard, info: discard, warn: discard, error: discard });
