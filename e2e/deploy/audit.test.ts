import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { basil } from "../cli/typed.ts";
import { policyOfMe } from "../policy-of-me.ts";
import { Stack } from "../stack.ts";
import { signingOnly } from "./signing-only.ts";

let stack: Stack;
let lines: string[];
let checkpoint: string;
beforeAll(async () => {
  stack = await Stack.start({
    ...(await signingOnly()),
    policy: policyOfMe({ id: "signs", subjects: ["me"], action: ["op:sign"], target: ["jwt.**"] }),
  });
  await using agent = await stack.startAgent();
  for (let n = 0; n < 4; n++) await stack.basil(["sign", "--key-id", "jwt.signing.primary", "text"]);
  const { stderr } = await agent.stop();
  checkpoint = /"checkpoint":"([^"]+)"/.exec(stderr)?.[1] ?? "";
  lines = (await readFile(join(stack.folder, "audit.jsonl"), "utf8")).split("\n").slice(0, -1);
});
afterAll(() => stack?.[Symbol.asyncDispose]());

/** Verifies a log of these lines. */
async function verify(changed: readonly string[], ...flags: string[]) {
  await writeFile(join(stack.folder, "changed.jsonl"), changed.map((line) => `${line}\n`).join(""));
  return basil(["audit", "verify", "changed.jsonl", ...flags], { cwd: stack.folder });
}

describe("basil audit verify", () => {
  it("finds the log whole as it was written, also in two files, and the agent's checkpoint in it", async () => {
    expect(checkpoint).toMatch(/^\d+:[0-9a-f]{64}$/);
    const { exitCode, stdout, stderr } = await verify(lines, "--checkpoint", checkpoint);
    expect(exitCode, stdout).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^ok: \d+ lines\nfirst: 1, continues 0{64}\ncheckpoint: \d+:[0-9a-f]{64}\n$/);
    await writeFile(join(stack.folder, "older.jsonl"), `${lines[0]}\n${lines[1]}\n`);
    await verify(lines.slice(2));
    const both = await basil(["audit", "verify", "older.jsonl", "changed.jsonl", "--json"], { cwd: stack.folder });
    expect(JSON.parse(both.stdout)).toMatchObject({ ok: true, lines: lines.length, problems: [] });
  });

  it.for([
    ["removed", (all: string[]) => all.filter((_, index) => index !== 2), "wrong_hash"],
    [
      "changed",
      (all: string[]) => all.map((line, i) => (i === 2 ? line.replace('"allow"', '"deny"') : line)),
      "wrong_hash",
    ],
    ["moved", (all: string[]) => [all[0], all[2], all[1], ...all.slice(3)] as string[], "wrong_sequence"],
    ["put in", (all: string[]) => [...all.slice(0, 2), '{"op":"sign"}', ...all.slice(2)], "not_chained"],
  ] as const)("says which line was %s", async ([, change, kind]) => {
    const { exitCode, stdout } = await verify(change(lines));
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(new RegExp(`^line [34]: ${kind}: `, "m"));
    expect(stdout).toContain("broken: ");
  });

  it("finds a removed tail with a checkpoint that was kept elsewhere, and not without", async () => {
    expect((await verify(lines.slice(0, 2))).exitCode).toBe(0);
    const { exitCode, stdout } = await verify(lines.slice(0, 2), "--checkpoint", checkpoint);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^not there: checkpoint_missing: /);
  });

  it("refuses what is no checkpoint, and a file that is not there, by name", async () => {
    const odd = await verify(lines, "--checkpoint", "5");
    expect(odd).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('SEQ:HASH with 64 lowercase hexadecimal digits, found "5"'),
    });
    const absent = await basil(["audit", "verify", "absent.jsonl"], { cwd: stack.folder });
    expect(absent).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("absent.jsonl cannot be read") });
  });
});
