import { describe, expect, it } from "vitest";
import { Stack } from "../stack.js";
import { openAccount } from "./account.js";

const names = Array.from({ length: 50 }, (_, i) => `key_${i}`);
const catalog = {
  schemaVersion: 1,
  backends: { kms: { kind: "aws-kms", addr: "", engines: ["transit"] } },
  keys: Object.fromEntries(
    names.map((name) => [
      name,
      {
        class: "symmetric",
        keyType: "aes-256-gcm",
        backend: "kms",
        path: `alias/basil/${name}`,
        writable: false,
        missing: "error",
        description: "one of many",
      },
    ]),
  ),
};
const policy = { schemaVersion: 2, subjects: { me: { allOf: [{ kind: "unix", uid: process.getuid?.() ?? 0 }] } } };

describe.concurrent("basil agent with 50 keys", () => {
  it.for([
    ["never answers", { kind: "hang" }],
    ["answers 500 for good", { kind: "error" }],
    ["throttles for good", { kind: "throttle" }],
  ] as const)("ends within 40 s, without a socket, when KMS %s", { timeout: 90_000 }, async ([, fault]) => {
    await using stack = await Stack.start({
      catalog: JSON.stringify(catalog),
      policy,
      emulator: {
        keys: names.map((name) => ({ spec: "SYMMETRIC_DEFAULT" as const, aliases: [`alias/basil/${name}`] })),
        faults: [{ fault, operation: "DescribeKey", times: Number.POSITIVE_INFINITY }],
      },
    });
    const started = performance.now();
    const { code, stderr, stdout, socketExists } = await stack.refusedAgent();
    expect(performance.now() - started).toBeLessThan(40_000);
    expect(code).toBe(1);
    expect(socketExists).toBe(false);
    // Every key is told of, also those that were never reached.
    for (const name of names) expect(stdout + stderr).toContain(name);
  });
});

// Beside the others, for it waits as long.
describe.concurrent("basil provision", () => {
  it("ends with 6, and says why, when KMS cannot be asked", { timeout: 60_000 }, async () => {
    await using account = await openAccount();
    const line = "basil provision --catalog catalog.json --yes --profile nobody";
    const answer = await account.type(line, account.as("provisioner"));
    expect(answer).toMatchObject({ exitCode: 6, stdout: "" });
    expect(answer.stderr).toContain("does not exist in the shared config");
    expect(account.emulator.keys.list()).toEqual([]);
  });
});
