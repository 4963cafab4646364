import type { BackendLogger } from "@basil/core";

/** Where the broker writes for its operator. pino fits; without one nothing is written. */
export type Logger = BackendLogger;

export const SILENT: Logger = { info() {}, warn() {}, error() {} };
