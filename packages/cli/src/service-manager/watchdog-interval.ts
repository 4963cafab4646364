import { CliError } from "../cli-error.js";
import type { Environment } from "../context.js";

/**
 * Milliseconds between two signs of life: half of what the service manager allows process `pid`, as
 * sd_watchdog_enabled(3) advises. Undefined when it watches nobody, or another process.
 *
 * @throws {@link CliError} `FAILED` for variables that cannot be.
 */
export function watchdogIntervalMs({ WATCHDOG_USEC, WATCHDOG_PID }: Environment, pid: number): number | undefined {
  if (WATCHDOG_USEC === undefined) return undefined;
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(pid)) return undefined;
  const microseconds = Number(WATCHDOG_USEC);
  if (/^\d+$/.test(WATCHDOG_USEC) && Number.isSafeInteger(microseconds) && microseconds >= 2000) {
    // A timer of Node counts in 31 bits.
    return Math.min(Math.floor(microseconds / 2000), 0x7fff_ffff);
  }
  throw new CliError(
    "FAILED",
    `WATCHDOG_USEC is ${JSON.stringify(WATCHDOG_USEC)}; allowed: microseconds, at least 2000`,
    { reason: "watchdog_invalid" },
    { remedy: "correct WatchdogSec in the service unit" },
  );
}
