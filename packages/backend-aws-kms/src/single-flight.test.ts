import { describe, expect, it } from "vitest";
import { SingleFlight } from "./single-flight.js";

const never = new AbortController().signal;

/** A call that ends when it is told to, and knows whether it was dropped. */
function pendingCall() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const call = { starts: 0, dropped: false, resolve, reject };
  const start = (signal: AbortSignal) => {
    call.starts += 1;
    signal.addEventListener("abort", () => {
      call.dropped = true;
      reject(signal.reason);
    });
    return promise;
  };
  return { call, start };
}

describe("SingleFlight", () => {
  it("makes identical calls that overlap once", async () => {
    const flights = new SingleFlight();
    const { call, start } = pendingCall();
    const waiting = [flights.run("a", never, start), flights.run("a", never, start), flights.run("a", never, start)];
    call.resolve("answer");
    await expect(Promise.all(waiting)).resolves.toEqual(["answer", "answer", "answer"]);
    expect(call.starts).toBe(1);
  });

  it("makes calls that differ, or that do not overlap, each", async () => {
    const flights = new SingleFlight();
    let starts = 0;
    const start = async () => ++starts;
    await expect(Promise.all([flights.run("a", never, start), flights.run("b", never, start)])).resolves.toEqual([
      1, 2,
    ]);
    await expect(flights.run("a", never, start)).resolves.toBe(3);
  });

  it("fails every caller when the one call fails, and starts anew after it", async () => {
    const flights = new SingleFlight();
    const { call, start } = pendingCall();
    const waiting = [flights.run("a", never, start), flights.run("a", never, start)];
    call.reject(new Error("no"));
    for (const caller of waiting) await expect(caller).rejects.toThrow("no");
    await expect(flights.run("a", never, async () => "again")).resolves.toBe("again");
  });

  it("lets one caller leave without the others", async () => {
    const flights = new SingleFlight();
    const { call, start } = pendingCall();
    const leaving = new AbortController();
    const left = expect(flights.run("a", leaving.signal, start)).rejects.toThrow("left");
    const stays = flights.run("a", never, start);
    leaving.abort(new Error("left"));
    await left;
    expect(call.dropped).toBe(false);
    call.resolve("answer");
    await expect(stays).resolves.toBe("answer");
  });

  it("drops the call when every caller has left, and a later caller starts its own", async () => {
    const flights = new SingleFlight();
    const { call, start } = pendingCall();
    const leaving = new AbortController();
    const both = [flights.run("a", leaving.signal, start), flights.run("a", leaving.signal, start)].map((caller) =>
      expect(caller).rejects.toThrow("left"),
    );
    leaving.abort(new Error("left"));
    await Promise.all(both);
    expect(call.dropped).toBe(true);
    await expect(flights.run("a", never, async () => "own")).resolves.toBe("own");
  });

  it("starts nothing for a caller that has left already", async () => {
    const { call, start } = pendingCall();
    await expect(new SingleFlight().run("a", AbortSignal.abort(new Error("left")), start)).rejects.toThrow("left");
    expect(call.starts).toBe(0);
  });
});
