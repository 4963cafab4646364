import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runReadmeProgram } from "../../../tests/readme-program.js";
import { DEFAULT_WIRE_LIMITS } from "./limits.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("README", () => {
  it("begins with a program that runs", async () => {
    await runReadmeProgram(readme, { "@basil/grpc-wire": new URL("index.ts", import.meta.url) });
  });

  it("lists every limit with its default", () => {
    const listed = [...readme.matchAll(/^\| `(\w+)` *\| ([\d,]+) /gm)].map(([, name, value]) => [
      name,
      Number(value?.replaceAll(",", "")),
    ]);
    expect(Object.fromEntries(listed)).toEqual(DEFAULT_WIRE_LIMITS);
  });
});
