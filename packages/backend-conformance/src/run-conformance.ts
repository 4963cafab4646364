import { conformanceCases } from "./conformance-cases.js";
import type { ConformanceOptions, CreateBackend } from "./options.js";

export interface ConformanceFailure {
  readonly group: string;
  readonly name: string;
  readonly error: unknown;
}

/** How a run ended: nothing is skipped, so the two add up to all rules. */
export interface ConformanceResult {
  readonly passed: number;
  /** In the order of the cases; empty for a backend that keeps the contract. */
  readonly failures: readonly ConformanceFailure[];
}

/** Runs every case, one after the other, without a test runner. */
export async function runConformance(create: CreateBackend, options?: ConformanceOptions): Promise<ConformanceResult> {
  const failures: ConformanceFailure[] = [];
  const cases = conformanceCases(create, options);
  for (const { group, name, run } of cases) {
    try {
      await run();
    } catch (error) {
      failures.push({ group, name, error });
    }
  }
  return { passed: cases.length - failures.length, failures };
}
