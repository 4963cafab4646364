/** A line as it was given to the logger. */
export interface LoggedLine {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Writes to `lines`. */
export function memoryLogger(lines: LoggedLine[]) {
  const log = (level: LoggedLine["level"]) => (fields: LoggedLine["fields"], message: string) =>
    void lines.push({ level, message, fields });
  return { info: log("info"), warn: log("warn"), error: log("error") };
}
