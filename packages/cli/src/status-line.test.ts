import { describe, expect, it } from "vitest";
import { StatusLine } from "./status-line.js";

/** A screen with a clock that is put forward by hand. */
function screen() {
  let now = 0;
  let ticking: (() => void) | undefined;
  const written: string[] = [];
  const line = new StatusLine({
    write: (text) => void written.push(text.replaceAll("\r\u001b[K", "|")),
    now: () => now,
    every: (_, callback) => {
      ticking = callback;
      return () => {
        ticking = undefined;
      };
    },
  });
  const pass = (milliseconds: number): void => {
    for (let at = 0; at < milliseconds; at += 250) {
      now += 250;
      ticking?.();
    }
  };
  return { line, pass, written, isTicking: () => ticking !== undefined };
}

describe("StatusLine", () => {
  it("says nothing of what takes less than a second", () => {
    const { line, pass, written } = screen();
    {
      using _ = line.working("waiting");
      pass(750);
    }
    expect(written).toEqual([]);
  });

  it("tells what takes longer, second by second, and clears it at the end", () => {
    const { line, pass, written, isTicking } = screen();
    {
      using _ = line.working("waiting");
      pass(2250);
    }
    expect(written).toEqual(["|waiting … 1 s", "|waiting … 2 s", "|"]);
    expect(isTicking()).toBe(false);
  });

  it("tells how far it is, where it is told", () => {
    const { line, pass, written } = screen();
    let done = 0;
    using _ = line.working(() => `${done} of 3`);
    pass(1000);
    done = 2;
    pass(250);
    expect(written).toEqual(["|0 of 3 … 1 s", "|2 of 3 … 1 s"]);
  });

  it("tells a long wait that is made of short ones", () => {
    const { line, pass, written } = screen();
    using _ = line.working("until it is ready");
    for (let attempt = 0; attempt < 3; attempt++) {
      using __ = line.working("an attempt");
      pass(500);
    }
    expect(written).toEqual(["|until it is ready … 1 s"]);
  });

  it("goes before anything else is written, and comes again", () => {
    const { line, pass, written } = screen();
    using _ = line.working("waiting");
    pass(1000);
    line.clear();
    line.clear();
    pass(250);
    expect(written).toEqual(["|waiting … 1 s", "|", "|waiting … 1 s"]);
  });

  it("tells what began last, and then again what is left", () => {
    const { line, pass, written } = screen();
    using _ = line.working("outer");
    {
      using __ = line.working("inner");
      pass(1000);
    }
    pass(250);
    expect(written).toEqual(["|inner … 1 s", "|", "|outer … 1 s"]);
  });

  it("is silent while somebody is asked, and counts from the answer on", () => {
    const { line, pass, written } = screen();
    using _ = line.working("opening");
    {
      using __ = line.asking();
      pass(60_000);
    }
    pass(1000);
    expect(written).toEqual(["|opening … 1 s"]);
  });
});
