import { describe, expect, it } from "vitest";
import { conformanceCases } from "./conformance-cases.js";
import { limits, probe } from "./dishonest/lie.js";
import { memoryBackend } from "./memory/memory-backend.js";
import { runConformance } from "./run-conformance.js";

describe("runConformance", () => {
  it("finds nothing to say against a backend that keeps the contract, and runs every case on it", async () => {
    const { passed, failures } = await runConformance(async () => memoryBackend(limits));
    expect(failures).toEqual([]);
    expect(passed).toBe(conformanceCases(async () => memoryBackend()).length);
  });

  it("lists what a backend breaks, with the rule and the reason", async () => {
    const lie = probe(() => ({ state: "absent" }));
    const { failures } = await runConformance(async () => lie(memoryBackend({ ...limits })));
    expect(failures.length).toBeGreaterThan(8);
    expect(String(failures[0]?.error)).toMatch(/probe/);
  });
});

describe("conformanceCases", () => {
  it("has no two cases of one name in a group", () => {
    const names = conformanceCases(async () => memoryBackend()).map(({ group, name }) => `${group}: ${name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it("names the option that helps when a backend cannot create the keys it uses", async () => {
    const { capabilities, ...rest } = memoryBackend();
    const sign = { operations: ["sign", "verify", "publicKey"] } as const;
    const fixed = { ...rest, capabilities: { ...capabilities, keyTypes: { ed25519: sign } } };
    const one = conformanceCases(async () => fixed).find(
      ({ group, name }) => group === "sign" && name.startsWith("ed25519:"),
    );
    await expect(one?.run()).rejects.toThrow(/provision/);
  });

  it("uses the keys that provision gives, and never disposes of a shared backend", async () => {
    const backend = memoryBackend();
    let disposals = 0;
    const shared = { ...backend, [Symbol.asyncDispose]: async () => void disposals++ };
    const given = new Map<string, Promise<unknown>>();
    const { failures } = await runConformance(async () => shared, {
      shared: true,
      path: (name) => `prefix/${name}`,
      provision: async (on, key, slot, context) => {
        const standing = { ...key, path: `standing/${key.keyType}/${slot}` };
        if (!given.has(standing.path)) given.set(standing.path, on.transit!.createKey(standing, context));
        await given.get(standing.path);
        return standing;
      },
    });
    expect(failures).toEqual([]);
    expect(given.size).toBe(16);
    expect(disposals).toBe(0);
  });
});
