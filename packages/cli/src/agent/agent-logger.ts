import type { Logger } from "@basil/broker";
import type { Terminal } from "../terminal.js";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Bytes of lines that wait for somebody to read them. */
const MAX_WAITING_BYTES = 1_048_576;

/**
 * JSON lines on standard error, one an event; standard output stays free. Who reads them slowly, or not at all, holds
 * nobody up: lines that find no more room are counted, and the number is logged once there is.
 */
export async function agentLogger(level: LogLevel, terminal: Terminal): Promise<Logger> {
  const { pino } = await import("pino");
  // What an error carries besides its message may name secrets of an SDK; code and message are what an operator needs.
  const serializers = { err: describeError, error: describeError };
  const { errFd } = terminal;
  // A write to a pipe would wait for its reader.
  const file =
    errFd === undefined ? undefined : pino.destination({ dest: errFd, sync: false, maxLength: MAX_WAITING_BYTES });
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers,
    },
    file ?? { write: (line: string) => terminal.err(line.trimEnd()) },
  );
  let lost = 0;
  file?.on("drop", () => {
    lost += 1;
  });
  file?.on("drain", () => {
    if (lost === 0) return;
    const lines = lost;
    lost = 0;
    logger.warn({ lines }, "log lines were lost: they were not read in time");
  });
  // A log that nobody reads any more is no reason to stop.
  file?.on("error", () => {});
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
