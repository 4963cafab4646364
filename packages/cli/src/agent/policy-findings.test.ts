import { parseCatalog } from "@basil/catalog";
import { parsePolicy } from "@basil/policy";
import { describe, expect, it } from "vitest";
import { loggingFindings, logPolicyFindings } from "./policy-findings.js";

const catalog = parseCatalog('{"schemaVersion":1,"backends":{},"keys":{}}');

async function logged(policy: object): Promise<string[]> {
  const lines: string[] = [];
  const warn = ({ code }: Readonly<Record<string, unknown>>, message: string) =>
    lines.push(`${code ?? "-"} ${message}`);
  await logPolicyFindings({ catalog, policy: parsePolicy(JSON.stringify(policy)) }, { warn });
  return lines;
}

const uid = (value: number) => ({ allOf: [{ kind: "unix", uid: value }] });

const GRANTS_NOTHING = expect.stringContaining("no rule grants anything");

describe("logPolicyFindings", () => {
  it("says which uid is two subjects and is therefore denied everything (§9.4)", async () => {
    expect(await logged({ subjects: { a: uid(1), b: uid(1) } })).toEqual([
      'AmbiguousSubjects /subjects/b: uid 1 matches "a" and "b", so it is denied everything',
      GRANTS_NOTHING,
    ]);
  });

  it("is silent about what is only a notice", async () => {
    expect(await logged({ subjects: { a: uid(1) }, roles: { spare: [] } })).toEqual([GRANTS_NOTHING]);
  });

  it("lists twenty findings and counts the others", async () => {
    const rules = Array.from({ length: 30 }, (_, i) => ({ id: `r${i}`, subjects: ["a"] }));
    const lines = await logged({ subjects: { a: uid(1) }, rules });
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe("- 11 more findings; 'basil policy lint' lists them");
  });

  it("shows names out of the document without their control characters", async () => {
    const names = { users: { 1: "x\u001b[2J" } };
    const [line] = await logged({ subjects: { a: uid(1), b: uid(1) }, config: { names } });
    expect(line).toContain("uid x\\u{1b}[2J(1) matches");
  });
});

describe("loggingFindings", () => {
  it("says the same of a policy that a reload reads, and hands it on", async () => {
    const pair = { catalog, policy: parsePolicy(JSON.stringify({ subjects: { a: uid(1), b: uid(1) } })) };
    const lines: string[] = [];
    const source = loggingFindings({ read: async () => pair }, { warn: (_, message) => void lines.push(message) });
    expect(await source.read()).toBe(pair);
    expect(lines).toEqual([expect.stringContaining('uid 1 matches "a" and "b"'), GRANTS_NOTHING]);
  });
});
