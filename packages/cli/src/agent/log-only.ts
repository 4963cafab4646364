import { format } from "node:util";
import type { Logger } from "@basil/broker";
import { escapeField } from "../escape-text.js";

const METHODS = ["log", "info", "debug", "warn", "error", "trace", "dir", "table"] as const;
/** Characters of one text that are logged. */
const MAX_TEXT = 1000;

/**
 * Logs what packages of the agent write to the console and what Node.js warns of, until it is disposed of. Both write to
 * standard error past the logger otherwise: without a bound in memory when the reader of a pipe does not read.
 */
export function logOnly(logger: Logger): Disposable {
  const { console, process } = globalThis;
  const before = METHODS.map((name) => [name, console[name]] as const);
  const listeners = process.listeners("warning");
  const shown = (text: string) => escapeField(text.slice(0, MAX_TEXT));
  for (const name of METHODS) {
    console[name] = (...given: unknown[]) =>
      logger.warn({ console: name, text: shown(format(...given)) }, "a package wrote to the console");
  }
  const warn = ({ name, message }: Error) => logger.warn({ name, text: shown(message) }, "Node.js warning");
  process.removeAllListeners("warning");
  process.on("warning", warn);
  return {
    [Symbol.dispose]() {
      for (const [name, method] of before) console[name] = method as never;
      process.removeListener("warning", warn);
      for (const listener of listeners) process.on("warning", listener);
    },
  };
}
