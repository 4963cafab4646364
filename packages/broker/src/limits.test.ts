import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, withDefaultLimits } from "./limits.js";

describe("withDefaultLimits", () => {
  it("fills in what is not given", () => {
    expect(withDefaultLimits({ maxInFlight: 3 })).toEqual({ ...DEFAULT_LIMITS, maxInFlight: 3 });
  });

  it.for([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "8"])("refuses %s by name", (maxStreams) => {
    expect(() => withDefaultLimits({ maxStreams: maxStreams as number })).toThrow(/^limits\.maxStreams must be/);
  });

  it("refuses a time that a timer would not wait", () => {
    expect(withDefaultLimits({ backendTimeoutMs: 2_147_483_647 }).backendTimeoutMs).toBe(2_147_483_647);
    expect(() => withDefaultLimits({ backendTimeoutMs: 2_147_483_648 })).toThrow(
      "limits.backendTimeoutMs must be at most 2147483647 milliseconds, found 2147483648",
    );
  });
});
