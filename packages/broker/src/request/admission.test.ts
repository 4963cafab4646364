import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Admission } from "./admission.js";

const NEVER = new AbortController().signal;
const limits = { maxInFlight: 4, maxInFlightPerCaller: 3, maxWaitingPerCaller: 2 };
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Enters, and tells whether the turn has come. */
async function enter(admission: Admission, name: string, signal = NEVER) {
  const turn: { leave?: () => void } = {};
  const promise = Promise.resolve(admission.enter(name, "sign", signal)).then((leave) => {
    turn.leave = leave;
  });
  promise.catch(() => undefined);
  await settled();
  return { turn, promise };
}

describe("Admission", () => {
  it("lets one caller work up to its own limit, and others up to the limit of all", async () => {
    const admission = new Admission(limits);
    const mine = await Promise.all(["a", "a", "a", "a"].map((name) => enter(admission, name)));
    expect(mine.map(({ turn }) => turn.leave !== undefined)).toEqual([true, true, true, false]);
    const others = await Promise.all(["b", "c"].map((name) => enter(admission, name)));
    expect(others.map(({ turn }) => turn.leave !== undefined)).toEqual([true, false]);
  });

  it("takes no place in the line for one that is gone already", async () => {
    const admission = new Admission({ ...limits, maxInFlight: 1 });
    await enter(admission, "a");
    const reason = new Error("gone");
    expect(() => admission.enter("b", "sign", AbortSignal.abort(reason))).toThrow(reason);
    expect(admission.waiting).toBe(0);
  });

  it("gives callers turns, however many requests one of them has waiting", async () => {
    const admission = new Admission({ maxInFlight: 1, maxInFlightPerCaller: 1, maxWaitingPerCaller: 100 });
    const first = await enter(admission, "busy");
    const order: string[] = [];
    for (const name of [...Array(10).fill("busy"), "calm"]) {
      void Promise.resolve(admission.enter(name, "sign", NEVER)).then((leave) => {
        order.push(name);
        leave();
      });
    }
    first.turn.leave?.();
    await settled();
    expect(order.indexOf("calm")).toBeLessThan(2);
    expect(order.length).toBe(11);
  });

  it("refuses with LIMIT_EXCEEDED and a hint when too many wait", async () => {
    const admission = new Admission({ ...limits, maxInFlight: 1 });
    await enter(admission, "a");
    await enter(admission, "a");
    await enter(admission, "a");
    expect(() => admission.enter("a", "sign", NEVER)).toThrow(
      expect.objectContaining({ code: "LIMIT_EXCEEDED", details: { op: "sign", retryAfterMs: 100 } }),
    );
  });

  it("lets go of a request whose caller gives up", async () => {
    const admission = new Admission({ ...limits, maxInFlight: 1 });
    const first = await enter(admission, "a");
    const controller = new AbortController();
    const second = await enter(admission, "a", controller.signal);
    controller.abort(new Error("gone"));
    await expect(second.promise).rejects.toThrow("gone");
    first.turn.leave?.();
    expect((await enter(admission, "a")).turn.leave).toBeDefined();
  });

  it("never lets more work than it says, and lets everyone work in the end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 40 }), async (names) => {
        const admission = new Admission({ maxInFlight: 3, maxInFlightPerCaller: 2, maxWaitingPerCaller: 100 });
        const active = new Map<string, number>();
        let done = 0;
        const work = async (name: string) => {
          const leave = await admission.enter(name, "sign", NEVER);
          active.set(name, (active.get(name) ?? 0) + 1);
          const all = [...active.values()].reduce((sum, count) => sum + count, 0);
          expect(all).toBeLessThanOrEqual(3);
          expect(active.get(name)).toBeLessThanOrEqual(2);
          await Promise.resolve();
          active.set(name, (active.get(name) ?? 0) - 1);
          done += 1;
          leave();
          leave();
        };
        await Promise.all(names.map(work));
        expect(done).toBe(names.length);
      }),
    );
  });
});
