import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { basil } from "../cli/typed.js";
import { Stack } from "../stack.js";

/** A thousand keys, of which the last are to be made. */
const COUNT = 1000;
const TO_MAKE = 40;
const names = Array.from({ length: COUNT }, (_, i) => `key_${String(i).padStart(4, "0")}`);
const entry = {
  class: "symmetric",
  keyType: "aes-256-gcm",
  backend: "kms",
  writable: false,
  missing: "generate",
  description: "one of many",
};
const catalog = {
  schemaVersion: 1,
  backends: { kms: { kind: "aws-kms", addr: "", engines: ["transit"], mintKeyTypes: ["aes-256-gcm"] } },
  keys: Object.fromEntries(names.map((name) => [name, { ...entry, path: `alias/${name}` }])),
};
/** Aliases there are when half of those to make are made. */
const HALF_WAY = COUNT - TO_MAKE / 2;
const policy = { schemaVersion: 2, subjects: { me: { allOf: [{ kind: "unix", uid: process.getuid?.() ?? 0 }] } } };

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({
    catalog: JSON.stringify(catalog),
    policy,
    emulator: {
      // A slow KMS, so that the start takes longer than a second and can be seen to move.
      latencyMs: 10,
      keys: names.slice(0, COUNT - TO_MAKE).map((name) => ({ spec: "SYMMETRIC_DEFAULT", aliases: [`alias/${name}`] })),
    },
  });
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const aliases = (): string[] => stack.emulator.keys.list().flatMap((key) => [...key.aliases]);

describe("basil agent", () => {
  it("killed while it creates keys and started again, ends with every key once", { timeout: 120_000 }, async () => {
    const killed = await basil(["agent", "--config", `${stack.folder}/agent.toml`], {
      env: stack.env,
      onSpawn: (kill) => {
        const timer = setInterval(() => {
          if (aliases().length < HALF_WAY) return;
          clearInterval(timer);
          kill("SIGKILL");
        }, 5);
      },
    });
    expect(killed.signal).toBe("SIGKILL");
    expect(killed.stderr).toMatch(/"total":1000,"msg":"\d+ of 1000 keys looked for"/);
    const before = new Map(stack.emulator.keys.list().map(({ arn, aliases }) => [arn, aliases]));
    expect(aliases().length).toBeGreaterThanOrEqual(HALF_WAY);
    expect(aliases().length).toBeLessThan(COUNT);

    await using agent = await stack.startAgent();
    expect(agent.process.exitCode).toBeNull();
    const { stdout } = await stack.basil(["ready", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ ready: true, keys_total: COUNT, keys_present: COUNT });
    expect(aliases().sort()).toEqual(names.map((name) => `alias/${name}`));
    const after = new Map(stack.emulator.keys.list().map(({ arn, aliases }) => [arn, aliases]));
    for (const [arn, held] of before) if (held.length > 0) expect(after.get(arn)).toEqual(held);
    // The creation that was under way may have left a key without an alias, and no more.
    expect(after.size).toBeLessThanOrEqual(COUNT + 1);
  });
});
