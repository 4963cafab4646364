import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runReadmeProgram } from "../../../tests/readme-program.js";
import { conformanceCases } from "./conformance-cases.js";
import { memoryBackend } from "./memory/memory-backend.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("README", () => {
  it("holds a whole program that runs", async () => {
    const logged = await runReadmeProgram(readme, {
      "@basil/backend-conformance": new URL("index.ts", import.meta.url),
    });
    expect(logged).toEqual([[true]]);
  });

  it("lists every group of rules, and no other", () => {
    const proved = readme.slice(readme.indexOf("## What is proved"), readme.indexOf("## Options"));
    const rows = [...proved.matchAll(/^\| (`.*?) +\|/gm)].map(([, cell]) => cell ?? "");
    const listed = rows.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    const groups = new Set(conformanceCases(async () => memoryBackend()).map(({ group }) => group));
    expect(new Set(listed)).toEqual(groups);
  });
});
