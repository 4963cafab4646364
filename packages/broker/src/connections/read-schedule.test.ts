import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { type Reader, ReadSchedule } from "./read-schedule.js";

const STREAM = 16_384;
let now: number;
let served: string[];
let schedule: ReadSchedule;

beforeEach(() => {
  now = 0;
  served = [];
  schedule = new ReadSchedule(() => now);
});

/** A connection that received so many streams, each of which takes a millisecond. */
class Streams implements Reader {
  constructor(
    readonly name: string,
    public streams: number,
    readonly owner = 1,
  ) {}

  get ready(): boolean {
    return this.streams > 0;
  }

  work(budget: number): number {
    const count = Math.min(this.streams, Math.ceil(budget / STREAM));
    this.streams -= count;
    now += count;
    served.push(this.name);
    return count * STREAM;
  }
}

async function finish(): Promise<void> {
  while (schedule.busy) await turn();
}

describe("ReadSchedule", () => {
  it("handles what is received at once while the process has time", () => {
    for (const name of ["a", "b", "c"]) schedule.add(new Streams(name, 1));
    expect([served, schedule.busy]).toEqual([["a", "b", "c"], false]);
  });

  it("puts off what exceeds the time of a turn, and does it in later turns", async () => {
    const all = Array.from({ length: 20 }, (_, n) => new Streams(String(n), 50));
    for (const each of all) schedule.add(each);
    expect(schedule.busy).toBe(true);
    expect(all.some(({ streams }) => streams === 50)).toBe(true);
    await finish();
    expect(all.every(({ streams }) => streams === 0)).toBe(true);
  });

  it("serves a light connection in the next turn, however many keep the process busy", async () => {
    for (let n = 0; n < 200; n++) schedule.add(new Streams(`heavy ${n}`, 100));
    while (new Set(served).size < 200) await turn();
    const before = served.length;
    schedule.add(new Streams("light", 1));
    await turn();
    await turn();
    expect(served.slice(before, before + 20)).toContain("light");
  });

  it("gives a user with one connection as much as a user with a hundred", async () => {
    const one = new Streams("one", 400, 2);
    for (let n = 0; n < 100; n++) schedule.add(new Streams("many", 100, 1));
    schedule.add(one);
    while (one.streams > 0) await turn();
    const theirs = served.filter((name) => name === "many").length;
    expect(theirs / served.filter((name) => name === "one").length).toBeLessThan(2.5);
  });

  it("forgets a connection that is closed", async () => {
    const closed = new Streams("closed", 100);
    for (let n = 0; n < 10; n++) schedule.add(new Streams(String(n), 100));
    schedule.add(closed);
    schedule.remove(closed);
    const left = closed.streams;
    await finish();
    expect(closed.streams).toBe(left);
  });
});
