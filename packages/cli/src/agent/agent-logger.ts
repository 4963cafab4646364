import type { Logger } from "@basil/broker";
import type { Terminal } from "../terminal.js";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines on standard error, one an event; standard output stays free. */
export async function agentLogger(level: LogLevel, terminal: Terminal): Promise<Logger> {
  const { pino } = await import("pino");
  // What an error carries besides its message may name secrets of an SDK; code and message are what an operator needs.
  const serializers = { err: describeError, error: describeError };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers,
    },
    { write: (line: string) => terminal.err(line.trimEnd()) },
  );
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? { code: error.code } : {};
  return { name: error.name, message: error.message, ...code };
}
