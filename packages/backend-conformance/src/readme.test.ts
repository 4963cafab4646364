import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { conformanceCases } from "./conformance-cases.js";
import { memoryBackend } from "./memory/memory-backend.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "readme-"));

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe("README", () => {
  it("holds a whole program that runs", async () => {
    const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const index = JSON.stringify(join(import.meta.dirname, "index.ts"));
    const file = join(folder, "program.ts");
    writeFileSync(file, program.replace('"@basil/backend-conformance"', index));
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await import(/* @vite-ignore */ file);
    expect(log.mock.calls).toEqual([[true]]);
  });

  it("lists every group of rules, and no other", () => {
    const proved = readme.slice(readme.indexOf("## What is proved"), readme.indexOf("## Options"));
    const rows = [...proved.matchAll(/^\| (`.*?) +\|/gm)].map(([, cell]) => cell ?? "");
    const listed = rows.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    const groups = new Set(conformanceCases(async () => memoryBackend()).map(({ group }) => group));
    expect(new Set(listed)).toEqual(groups);
  });
});
