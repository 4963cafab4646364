import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runReadmeProgram } from "../../../tests/readme-program.js";
import { BACKEND_ERROR_CODES } from "./errors.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("README", () => {
  it("holds a whole program that runs", async () => {
    const logged = await runReadmeProgram(readme, { "@basil/core": new URL("index.ts", import.meta.url) });
    expect(logged).toEqual([[64, "ES256"], [true]]);
  });

  it("lists every error code, and no other", () => {
    const errors = readme.slice(readme.indexOf("## Errors"), readme.indexOf("## Limits"));
    const listed = [...errors.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, code]) => code);
    expect(listed).toEqual([...BACKEND_ERROR_CODES]);
  });
});
