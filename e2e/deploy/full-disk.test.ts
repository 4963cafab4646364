import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.ts";
import { Stack } from "../stack.ts";
import { signingOnly } from "./signing-only.ts";

let stack: Stack;
let config: string;
beforeAll(async () => {
  stack = await Stack.start({
    ...(await signingOnly()),
    policy: policyOfMe({ id: "signs", subjects: ["me"], action: ["op:sign"], target: ["jwt.**"] }),
  });
  config = await readFile(join(stack.folder, "agent.toml"), "utf8");
  // Every write to it fails with ENOSPC (full(4)).
  await symlink("/dev/full", join(stack.folder, "audit.jsonl"));
});
afterAll(() => stack?.[Symbol.asyncDispose]());
beforeEach(() => writeFile(join(stack.folder, "agent.toml"), config));

const sign = () => stack.basil(["sign", "--key-id", "jwt.signing.primary", "text"]);
const signatures = () => stack.emulator.calls.filter(({ operation }) => operation === "Sign").length;

describe.skipIf(process.platform !== "linux")("an audit log on a full disk", () => {
  it("withholds the answer, and from then on asks KMS nothing, and answers health", async () => {
    await using agent = await stack.startAgent();
    expect(await sign()).toMatchObject({ code: 6, stdout: "" });
    const before = signatures();
    expect(await sign()).toMatchObject({ code: 6, stdout: "" });
    expect(signatures()).toBe(before);
    expect(await stack.basil(["health"])).toMatchObject({ code: 0 });
    expect(agent.log()).toContain("the audit log cannot be written");
  });

  it("is served without when audit-failure says so, and the log tells what was lost", async () => {
    await writeFile(join(stack.folder, "agent.toml"), `audit-failure = "serve"\n${config}`);
    await using agent = await stack.startAgent();
    expect(await sign()).toMatchObject({ code: 0 });
    expect(await sign()).toMatchObject({ code: 0 });
    expect(agent.log()).toContain("an audit record was not written");
  });
});
