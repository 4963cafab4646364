import { describe, expect, it } from "vitest";
import { watchdogIntervalMs } from "./watchdog-interval.js";

describe("watchdogIntervalMs", () => {
  it.for([
    ["30000000", 15_000],
    ["2000", 1],
    ["9007199254740991", 0x7fff_ffff],
  ] as const)("is half of WATCHDOG_USEC=%s", ([WATCHDOG_USEC, interval]) => {
    expect(watchdogIntervalMs({ WATCHDOG_USEC }, 42)).toBe(interval);
    expect(watchdogIntervalMs({ WATCHDOG_USEC, WATCHDOG_PID: "42" }, 42)).toBe(interval);
  });

  it("is none when nobody is watched, or another process", () => {
    expect(watchdogIntervalMs({}, 42)).toBeUndefined();
    expect(watchdogIntervalMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "41" }, 42)).toBeUndefined();
  });

  it.for(["", "0", "1999", "-5", "soon", "1e6"])("refuses WATCHDOG_USEC=%j by name", (WATCHDOG_USEC) => {
    expect(() => watchdogIntervalMs({ WATCHDOG_USEC }, 42)).toThrow(
      `WATCHDOG_USEC is ${JSON.stringify(WATCHDOG_USEC)}`,
    );
  });
});
