import { describe, expect, it } from "vitest";
import { counted } from "./counted.js";

describe("counted", () => {
  it.for([
    [0, "0 keys"],
    [1, "1 key"],
    [2, "2 keys"],
  ] as const)("says %i as %s", ([count, text]) => {
    expect(counted(count, "key")).toBe(text);
  });
});
