import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WriteLimit } from "./write-limit.js";

describe("WriteLimit", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const never = () => new Promise<never>(() => {});

  it("settles as the write does", async () => {
    const limit = new WriteLimit(1000);
    await limit.wait(Promise.resolve());
    await expect(limit.wait(Promise.reject(new Error("full")))).rejects.toThrow("full");
  });

  it("rejects each write at the end of its own time", async () => {
    const limit = new WriteLimit(1000);
    const states: string[] = [];
    const watch = (name: string) => limit.wait(never()).catch(() => states.push(name));
    void watch("first");
    await vi.advanceTimersByTimeAsync(600);
    void watch("second");
    await vi.advanceTimersByTimeAsync(400);
    expect(states).toEqual(["first"]);
    await vi.advanceTimersByTimeAsync(600);
    expect(states).toEqual(["first", "second"]);
  });

  it("makes one timer for a thousand writes", async () => {
    const limit = new WriteLimit(1000);
    const made = vi.spyOn(globalThis, "setTimeout");
    for (let n = 0; n < 1000; n++) await limit.wait(Promise.resolve());
    expect(made).toHaveBeenCalledTimes(1);
  });
});
