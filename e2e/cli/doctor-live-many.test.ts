import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { atTerminal, need } from "../bundle/terminal.js";
import { policyOfMe } from "../policy-of-me.js";
import { Stack } from "../stack.js";

const MANY = 200;
const NAMES = Array.from({ length: MANY }, (_, at) => `fleet.key${at}`);
const pathOf = (name: string) => `alias/basil/${name.replace(".", "-")}`;
const program = join(import.meta.dirname, "../../packages/cli/bin/basil.js");

const CATALOG = {
  schemaVersion: 1,
  backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
  keys: Object.fromEntries(
    NAMES.map((name) => [
      name,
      {
        ...{ class: "asymmetric", keyType: "ecdsa-p256", backend: "kms", engine: "transit", path: pathOf(name) },
        ...{ writable: false, missing: "error", description: name },
      },
    ]),
  ),
};
const POLICY = policyOfMe({ id: "signs", subjects: ["me"], action: ["op:sign"], target: ["fleet.**"] });
const SIGNING = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: ["kms:DescribeKey", "kms:Sign"], Resource: "*" }],
};

describe("basil doctor --live on two hundred keys", () => {
  it("takes seconds, and tells a terminal how far it is", async (context) => {
    need(context, "script");
    await using stack = await Stack.start({
      catalog: JSON.stringify(CATALOG),
      policy: POLICY,
      iamPolicy: SIGNING,
      emulator: {
        latencyMs: 10,
        keys: NAMES.map((name) => ({ spec: "ECC_NIST_P256", aliases: [pathOf(name)] })),
      },
    });
    const env = Object.entries(stack.env).map(([name, value]) => `${name}=${value}`);
    const line = ["env", "-i", ...env, process.execPath, program, "doctor", "-c", "agent.toml", "--live"].join(" ");
    const { status, seen } = await atTerminal(stack.folder, line, /never asked/, []);
    expect(seen).toContain("result: OK\r\n");
    expect(seen).toMatch(/asking AWS about [1-9]\d* of 200 keys of kms … \d+ s/);
    expect(seen.match(/live:fleet\.key\d+: /g)).toHaveLength(MANY);
    expect(status).toBe(0);
  }, 60_000);
});
