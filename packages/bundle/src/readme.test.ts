import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runReadmeProgram } from "../../../tests/readme-program.js";
import { BUNDLE_ERROR_CODES } from "./errors.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("README", () => {
  it("holds a whole program that runs", async () => {
    const logged = await runReadmeProgram(readme, { "@basil/bundle": new URL("index.ts", import.meta.url) });
    expect(logged).toEqual([[2, "passphrase", { region: "us-east-1" }]]);
  });

  it("lists every error code, and no other", () => {
    const errors = readme.slice(readme.indexOf("## Errors"), readme.indexOf("## Limits"));
    const listed = [...errors.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, code]) => code);
    expect(listed).toEqual([...BUNDLE_ERROR_CODES]);
  });
});
