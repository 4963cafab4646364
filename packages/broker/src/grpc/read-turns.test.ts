import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { type Reader, ReadTurns } from "./read-turns.js";

let turns: ReadTurns;
/** Who was started, in order. */
let started: string[];
let now: number;

beforeEach(() => {
  now = 0;
  turns = new ReadTurns(() => now);
  started = [];
});

interface TestReader extends Reader {
  bytesRead: number;
  reading: boolean;
}

function reader(name: string, owner = 1): TestReader {
  const it: TestReader = {
    owner,
    bytesRead: 0,
    reading: false,
    start() {
      it.reading = true;
      started.push(name);
    },
    stop() {
      it.reading = false;
    },
  };
  return it;
}

/** Has the loop do something for that long, as the work of one connection. */
function busy(of: Reader, ms: number, streams = 50): void {
  for (let n = 0; n < streams; n++) turns.stream(of);
  now += ms;
  turns.stream(of);
}

async function untilNobodyWaits(): Promise<void> {
  while (turns.waiting > 0) await turn();
}

describe("ReadTurns", () => {
  it("lets everybody read while the work is done in time", async () => {
    const all = [reader("a"), reader("b"), reader("c")];
    for (const each of all) turns.enter(each, 10_000);
    for (let n = 0; n < 5; n++) {
      for (const each of all) turns.stream(each);
      await turn();
    }
    expect(all.every(({ reading }) => reading)).toBe(true);
    expect(started).toEqual(["a", "b", "c"]);
  });

  it("stops those that ask much in the middle of a turn that takes too long, and starts them again", async () => {
    const all = [reader("much"), reader("little")] as const;
    for (const each of all) turns.enter(each, 24);
    await turn();
    busy(all[0], 30);
    expect(all.map(({ reading }) => reading)).toEqual([false, true]);
    await untilNobodyWaits();
    expect(all.map(({ reading }) => reading)).toEqual([true, true]);
  });

  it("stops everybody when a turn takes much too long", async () => {
    const all = [reader("much"), reader("little")] as const;
    for (const each of all) turns.enter(each, 24);
    await turn();
    busy(all[0], 120);
    expect(turns.waiting).toBe(2);
    await untilNobodyWaits();
    expect(all.map(({ reading }) => reading)).toEqual([true, true]);
  });

  it("lets one go on in the next turn that asks little, however many keep the loop busy", async () => {
    const heavy = Array.from({ length: 100 }, (_, n) => reader(`heavy ${n}`));
    const light = reader("light");
    for (const each of [...heavy, light]) turns.enter(each, 24);
    await turn();
    for (const each of heavy) for (let n = 0; n < 50; n++) turns.stream(each);
    busy(heavy[0] as Reader, 120);
    started.length = 0;
    await turn();
    expect(started[0]).toBe("light");
    expect(heavy.filter(({ reading }) => reading).length).toBeLessThan(10);
    await untilNobodyWaits();
    expect(heavy.every(({ reading }) => reading)).toBe(true);
  });

  it("lets one that has just come, with little to read, go before those that wait", async () => {
    const heavy = Array.from({ length: 100 }, (_, n) => reader(`heavy ${n}`));
    for (const each of heavy) turns.enter(each, 10_000);
    busy(heavy[0] as Reader, 30);
    started.length = 0;
    turns.enter(reader("late and large"), 50_000);
    turns.enter(reader("late and small"), 200);
    expect(started).toEqual(["late and small"]);
    await turn();
    expect(started).not.toContain("late and large");
    await untilNobodyWaits();
    expect(started).toContain("late and large");
  });

  it("has everyone that goes on read once, however long the turn", async () => {
    const all = [reader("much"), reader("little"), reader("nothing")] as const;
    for (const each of all) turns.enter(each, 24);
    await turn();
    busy(all[0], 120);
    await turn();
    all[1].bytesRead += 100;
    busy(all[0], 120);
    expect(all.map(({ reading }) => reading)).toEqual([true, false, true]);
  });

  it("gives users equal shares, whatever the number of their connections", async () => {
    const many = Array.from({ length: 50 }, () => reader("of many", 1));
    const one = reader("of one", 2);
    for (const each of [...many, one]) turns.enter(each, 24);
    for (const each of [...many, one]) for (let n = 0; n < 50; n++) turns.stream(each);
    busy(many[0] as Reader, 30);
    started.length = 0;
    // The turns stay long, so that one reads at a time.
    for (let n = 0; n < 6; n++) {
      await turn();
      for (const each of [...many, one]) {
        if (!each.reading) continue;
        each.bytesRead += 100_000;
        busy(each, 25, 1);
      }
    }
    expect(started.indexOf("of one")).toBeGreaterThanOrEqual(0);
    expect(started.indexOf("of one")).toBeLessThan(3);
    expect(started.filter((name) => name === "of one").length).toBeGreaterThanOrEqual(2);
    for (const each of [...many, one]) turns.leave(each);
    expect(turns.waiting).toBe(0);
  });

  it("forgets what one asked for in time", async () => {
    const all = Array.from({ length: 50 }, (_, n) => reader(`${n}`));
    for (const each of all) turns.enter(each, 10_000);
    busy(all[0] as Reader, 30);
    now += 10_000;
    await turn();
    expect(all.every(({ reading }) => reading)).toBe(true);
  });

  it("forgets one that leaves while it waits", async () => {
    const [a, b] = [reader("a"), reader("b")];
    turns.enter(a, 24);
    turns.enter(b, 24);
    await turn();
    busy(a, 120);
    turns.leave(b);
    started.length = 0;
    await untilNobodyWaits();
    expect(started).toEqual(["a"]);
  });
});
