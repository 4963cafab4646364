import { HealthCheckResponse_ServingStatus as Status } from "@basil/proto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HealthWatches } from "./health-watches.js";

const SIGNING = "basil.broker.v1.SigningService";
const INTERVAL_MS = 10_000;

let ready: () => Promise<boolean>;
let asked: number;
let watches: HealthWatches;
beforeEach(() => {
  vi.useFakeTimers();
  asked = 0;
  ready = async () => true;
  watches = new HealthWatches({
    ready: () => {
      asked += 1;
      return ready();
    },
    limits: { maxHealthWatches: 5, maxHealthWatchesPerUser: 3, healthWatchIntervalMs: INTERVAL_MS },
  });
});
afterEach(() => {
  watches.close();
  vi.useRealTimers();
});

/** A reader that keeps up, and what it has read. */
function follow(service: string, user = "1") {
  const stream = watches.watch(service, user);
  const seen: (Status | "end")[] = [];
  void (async () => {
    for await (const status of stream) seen.push(status);
    seen.push("end");
  })();
  return { seen, end: () => stream.end() };
}
const settle = () => vi.advanceTimersByTimeAsync(0);

describe("HealthWatches", () => {
  it("tells the state of a service at once, and then each change of it and nothing else", async () => {
    const { seen } = follow(SIGNING);
    await settle();
    expect(seen).toEqual([Status.SERVING]);
    await vi.advanceTimersByTimeAsync(3 * INTERVAL_MS);
    ready = async () => false;
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    ready = async () => true;
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING]);
    expect(asked).toBe(7);
  });

  it("looks again at once when it is told of a change, and once more for changes that come meanwhile", async () => {
    const { seen } = follow(SIGNING);
    await settle();
    let answer = Promise.withResolvers<boolean>();
    ready = () => answer.promise;
    for (let n = 0; n < 5; n++) watches.changed();
    answer.resolve(false);
    answer = Promise.withResolvers<boolean>();
    answer.resolve(true);
    await settle();
    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING]);
    expect(asked).toBe(3);
  });

  it("takes a question that fails for not ready", async () => {
    ready = () => Promise.reject(new Error("down"));
    const { seen } = follow(SIGNING);
    await settle();
    expect(seen).toEqual([Status.NOT_SERVING]);
  });

  it("asks for all who watch at once, and not at all while nobody does", async () => {
    watches.changed();
    const all = [follow(SIGNING), follow(SIGNING, "2"), follow("basil.broker.v1.AdminService", "3")];
    await settle();
    for (const { seen } of all) expect(seen).toEqual([Status.SERVING]);
    expect(asked).toBe(1);
    for (const { end } of all) end();
    await vi.advanceTimersByTimeAsync(5 * INTERVAL_MS);
    expect(asked).toBe(1);
    ready = async () => false;
    const { seen } = follow(SIGNING);
    await settle();
    expect(seen).toEqual([Status.NOT_SERVING]);
  });

  it("serves as a whole whatever becomes of its backends, and knows no other service", async () => {
    ready = async () => false;
    const whole = follow("");
    const unknown = follow("other.Service");
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS);
    expect([whole.seen, unknown.seen]).toEqual([[Status.SERVING], [Status.SERVICE_UNKNOWN]]);
    expect(asked).toBe(0);
  });

  it("shows a reader who is behind the last state alone", async () => {
    const states = watches.watch(SIGNING, "1")[Symbol.asyncIterator]();
    expect(await states.next()).toMatchObject({ value: Status.SERVING });
    for (const is of [false, true, false]) {
      ready = async () => is;
      watches.changed();
      await settle();
    }
    expect(await states.next()).toMatchObject({ value: Status.NOT_SERVING });
    const next = states.next();
    watches.close();
    expect(await next).toMatchObject({ done: true });
  });

  it("ends every watch in NOT_SERVING when the broker stops, and one that comes later at once", async () => {
    const open = [follow(""), follow(SIGNING), follow("other.Service")];
    await settle();
    watches.close();
    const late = follow("");
    await settle();
    expect(open.map(({ seen }) => seen)).toEqual([
      [Status.SERVING, Status.NOT_SERVING, "end"],
      [Status.SERVING, Status.NOT_SERVING, "end"],
      [Status.SERVICE_UNKNOWN, "end"],
    ]);
    expect(late.seen).toEqual([Status.NOT_SERVING, "end"]);
  });

  it("keeps to a limit for each user and one for all, and gives back what is ended", async () => {
    const theirs = [follow(""), follow(SIGNING), follow("other.Service")];
    expect(() => watches.watch("", "1")).toThrow(expect.objectContaining({ code: "LIMIT_EXCEEDED" }));
    follow("", "2");
    follow("", "2");
    expect(() => watches.watch("", "3")).toThrow("too many health watches");
    theirs[0]?.end();
    follow("", "3");
    await settle();
    expect(() => watches.watch("", "1")).toThrow("too many health watches");
  });
});
