import { renderCapabilityMatrix, renderEngineTable } from "@basil/core";
import { afterAll, describe, it } from "vitest";
import type { ConformanceCase } from "./conformance-case.js";
import { conformanceCases } from "./conformance-cases.js";
import type { ConformanceOptions, CreateBackend } from "./options.js";

/**
 * The whole suite as vitest tests under `describe("NAME: backend contract")`, a `describe` a group. Afterwards it prints
 * the backend's rows of the capability matrix.
 */
export function testBackend(name: string, create: CreateBackend, options: ConformanceOptions = {}): void {
  describe(`${name}: backend contract`, () => {
    const groups = new Map<string, ConformanceCase[]>();
    for (const rule of conformanceCases(create, options)) {
      groups.set(rule.group, [...(groups.get(rule.group) ?? []), rule]);
    }
    for (const [group, rules] of groups) {
      describe(group, () => {
        it.for(rules.map((rule) => [rule.name, rule] as const))("%s", ([, { run }]) => run());
      });
    }
    afterAll(async () => {
      const backend = await create();
      const provided = new Map([[backend.kind, backend.capabilities]]);
      console.info(`${renderEngineTable(provided)}\n\n${renderCapabilityMatrix(provided)}`);
      if (!options.shared) await backend[Symbol.asyncDispose]();
    });
  });
}
