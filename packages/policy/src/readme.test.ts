import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { POLICY_REFUSAL_CODES } from "./errors.js";
import { parsePolicy } from "./parse-policy.js";
import { parsePolicyTests } from "./policy-tests.js";

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
    const catalog = JSON.stringify(join(import.meta.dirname, "../../catalog/src/index.ts"));
    const self = JSON.stringify(join(import.meta.dirname, "index.ts"));
    writeFileSync(file, program.replace('"@basil/policy"', self).replace('"@basil/catalog"', catalog));
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await import(/* @vite-ignore */ file);
    const via = "subject:web";
    const matched = { rule: "web-jwt", via, subject: "web", action: "role:signer", target: "jwt.*" };
    expect(log.mock.calls).toEqual([[{ allowed: true, via, matched }], [{ allowed: false, reason: "not_writable" }]]);
  });

  it("holds a table of cases and a policy that load", () => {
    const [table = "", document = ""] = [...readme.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => text);
    expect(parsePolicyTests(table)).toHaveLength(3);
    expect(parsePolicy(document).rules).toEqual([]);
  });

  it("lists every refusal, and no other", () => {
    const errors = readme.slice(readme.indexOf("The refusals of a policy:"), readme.indexOf("## Limits"));
    const listed = [...errors.matchAll(/^\| `([A-Za-z0-9]+)` +\|/gm)].map(([, code]) => code);
    expect(listed).toEqual([...POLICY_REFUSAL_CODES]);
  });
});
