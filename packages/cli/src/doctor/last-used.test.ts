import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lastUsedResources } from "./last-used.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-last-used-"));
});
afterAll(() => rm(folder, { recursive: true }));

const record = (more: object) =>
  JSON.stringify({ op: "sign", result: "ok", target_id: "a", resource: "arn:1", ...more });
async function read(...lines: readonly string[]) {
  await writeFile(join(folder, "audit.jsonl"), lines.join("\n"));
  return Object.fromEntries(await lastUsedResources("audit.jsonl", folder));
}

describe("lastUsedResources", () => {
  it("takes the last use of each key", async () => {
    const lines = [record({}), record({ target_id: "b" }), record({ op: "encrypt", resource: "arn:2" })];
    expect(await read(...lines, "")).toEqual({ a: "arn:2", b: "arn:1" });
  });

  it.for([
    ["an older version may have been used", { op: "verify" }],
    ["it failed", { result: "BACKEND_ERROR" }],
    ["it does not say what was used", { resource: null }],
  ] as const)("passes over a record when %s", async ([, more]) => {
    expect(await read(record({}), record({ resource: "arn:2", ...more }))).toEqual({ a: "arn:1" });
  });

  it("knows nothing without a log", async () => {
    expect(await lastUsedResources(undefined, folder)).toEqual(new Map());
    expect(await lastUsedResources("absent.jsonl", folder)).toEqual(new Map());
    expect(await lastUsedResources(".", folder)).toEqual(new Map());
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect(await lastUsedResources("pipe", folder)).toEqual(new Map());
  });

  it("reads the end of a long log, and whatever else is in it does not stop it", async () => {
    const filler = "x".repeat(1024 * 1024);
    expect(await read(record({ target_id: "too-old" }), filler, record({}))).toEqual({ a: "arn:1" });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.string(), fc.json()), { maxLength: 20 }), async (lines) => {
        expect(await read(...lines, record({ target_id: "last one" }))).toMatchObject({ "last one": "arn:1" });
      }),
      { numRuns: 50 },
    );
  });
});
