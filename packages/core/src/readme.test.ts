import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { BACKEND_ERROR_CODES } from "./errors.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "readme-"));

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe("README", () => {
  it("holds a whole program that runs", async () => {
    const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const file = join(folder, "program.ts");
    writeFileSync(file, program.replace('"@basil/core"', JSON.stringify(join(import.meta.dirname, "index.ts"))));
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await import(/* @vite-ignore */ file);
    expect(log.mock.calls).toEqual([[64, "ES256"], [true]]);
  });

  it("lists every error code, and no other", () => {
    const errors = readme.slice(readme.indexOf("## Errors"), readme.indexOf("## Limits"));
    const listed = [...errors.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, code]) => code);
    expect(listed).toEqual([...BACKEND_ERROR_CODES]);
  });
});
