import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { CATALOG_REFUSAL_CODES } from "./errors.js";
import { parseCatalog } from "./parse-catalog.js";

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
    const self = JSON.stringify(join(import.meta.dirname, "index.ts"));
    writeFileSync(file, program.replace('"@basil/catalog"', self));
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await import(/* @vite-ignore */ file);
    expect(log.mock.calls).toEqual([["Json", "/keys/jwt.signing/keyType", "ecdsa-p256"], ["transit"]]);
  });

  it("holds a document that loads", () => {
    const document = /```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    expect(parseCatalog(document).keys.size).toBe(0);
  });

  it("lists every refusal, and no other", () => {
    const errors = readme.slice(readme.indexOf("## Errors"), readme.indexOf("## Limits"));
    const listed = [...errors.matchAll(/^\| `([A-Za-z0-9]+)` +\|/gm)].map(([, code]) => code);
    expect(listed).toEqual([...CATALOG_REFUSAL_CODES]);
  });
});
