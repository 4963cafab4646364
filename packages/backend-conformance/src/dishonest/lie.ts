import { AssertionError } from "node:assert";
import {
  type Backend,
  BackendError,
  type Capabilities,
  type KeyProbe,
  type Kv2Engine,
  type TransitEngine,
} from "@basil/core";
import { describe, expect, it } from "vitest";
import { conformanceCases } from "../conformance-cases.js";
import { memoryBackend } from "../memory/memory-backend.js";

/** What the backends here take, honest and not. */
export const limits = { message: { min: 1, max: 100 }, plaintext: { min: 1, max: 100 } };

/** Makes a dishonest backend of an honest one. */
export type Lie = (honest: Backend) => Backend;

/** Replaces methods of the transit engine; `honest` has what they were. */
export function transit(change: (honest: TransitEngine) => Partial<TransitEngine>): Lie {
  return (honest) => ({ ...honest, transit: { ...honest.transit!, ...change(honest.transit!) } });
}

export function claims(change: (honest: Capabilities) => Partial<Capabilities>): Lie {
  return (honest) => ({ ...honest, capabilities: { ...honest.capabilities, ...change(honest.capabilities) } });
}

export function kv2(change: (honest: Kv2Engine) => Partial<Kv2Engine>): Lie {
  return (honest) => ({ ...honest, kv2: { ...honest.kv2!, ...change(honest.kv2!) } });
}

export function probe(change: (found: KeyProbe) => unknown): Lie {
  return (honest) => ({
    ...honest,
    probe: async (key, context) => change(await honest.probe(key, context)) as KeyProbe,
  });
}

export const withoutContext = { signal: new AbortController().signal, requestId: "liar" };

export function fail(code: string): Promise<never> {
  return Promise.reject(new BackendError(code as "REJECTED", code, {}));
}

/** What the backend does, the group and name of the cases that must find it out, and how it does it. */
export type LieCase = readonly [what: string, group: string, rule: RegExp, lie: Lie];

/** Each lie makes every case named fail, by an assertion; and the honest backend passes them. */
export function testLies(lies: readonly LieCase[]): void {
  const named = (create: () => Promise<Backend>, group: string, rule: RegExp) =>
    conformanceCases(create, { abortMs: 200 }).filter((one) => one.group === group && rule.test(one.name));

  describe("a dishonest backend that", () => {
    it.for(lies)("%s is found out", async ([, group, rule, lie]) => {
      const cases = named(async () => lie(memoryBackend(limits)), group, rule);
      expect(cases.length).toBeGreaterThan(0);
      for (const { run } of cases) await expect(run()).rejects.toThrow(AssertionError);
    });

    it.for(lies)("%s differs from an honest one, which passes the same cases", async ([, group, rule]) => {
      for (const { run } of named(async () => memoryBackend(limits), group, rule)) await run();
    });
  });
}
