import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { within } from "./within.js";

describe("within", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const never = () => new Promise<never>(() => {});

  it("settles as the work does and leaves no timer and no listener", async () => {
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, "removeEventListener");
    expect(await within(1000, signal, async () => 7)).toBe(7);
    await expect(within(1000, signal, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(vi.getTimerCount()).toBe(0);
    expect(removed).toHaveBeenCalledTimes(2);
  });

  it("rejects with TimeoutError when the time is over, whatever the work does", async () => {
    let seen: AbortSignal | undefined;
    const result = within(1000, undefined, (signal) => {
      seen = signal;
      return never();
    });
    const caught = result.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await caught).toMatchObject({ name: "TimeoutError", message: "no answer within 1000 ms" });
    expect(seen?.reason).toBe(await caught);
  });

  it("rejects with the error of the option late", async () => {
    const late = new Error("too late");
    const caught = within(0, undefined, never, { late: () => late }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1);
    expect(await caught).toBe(late);
  });

  it("rejects with the reason of the caller's signal and passes it on to the work", async () => {
    const caller = new AbortController();
    let seen: AbortSignal | undefined;
    const result = within(1000, caller.signal, (signal) => {
      seen = signal;
      return never();
    });
    const reason = new Error("the caller left");
    caller.abort(reason);
    await expect(result).rejects.toBe(reason);
    expect(seen?.reason).toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not start work whose caller has left", async () => {
    const work = vi.fn();
    await expect(within(1000, AbortSignal.abort("gone"), work)).rejects.toBe("gone");
    expect(work).not.toHaveBeenCalled();
  });

  it("turns a synchronous throw into a rejection", async () => {
    const work = () => {
      throw new Error("at once");
    };
    await expect(within(1000, undefined, work)).rejects.toThrow("at once");
  });

  it("sets no timer for a time that no timer can hold", async () => {
    void within(Number.POSITIVE_INFINITY, undefined, never);
    void within(2 ** 31, undefined, never);
    expect(vi.getTimerCount()).toBe(0);
  });
});
