import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runReadmeProgram } from "../../../tests/readme-program.js";
import { POLICY_REFUSAL_CODES } from "./errors.js";
import { parsePolicy } from "./parse-policy.js";
import { parsePolicyTests } from "./policy-tests.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("README", () => {
  it("holds a whole program that runs", async () => {
    const logged = await runReadmeProgram(readme, {
      "@basil/policy": new URL("index.ts", import.meta.url),
      "@basil/catalog": new URL("../../catalog/src/index.ts", import.meta.url),
    });
    const via = "subject:web";
    const matched = { rule: "web-jwt", via, subject: "web", action: "role:signer", target: "jwt.*" };
    expect(logged).toEqual([[{ allowed: true, via, matched }], [{ allowed: false, reason: "not_writable" }]]);
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
