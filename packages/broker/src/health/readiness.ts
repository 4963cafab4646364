import { ReadinessReason } from "@basil/proto";
import type { Generation } from "../generation.js";
import type { KeyProbes } from "../key-probes.js";

/** Whether a generation can be served, and how many of its keys are there. All counts are 0 when a backend did not tell. */
export interface Readiness {
  readonly ready: boolean;
  readonly reason: ReadinessReason;
  readonly keysTotal: number;
  readonly keysPresent: number;
  readonly keysRequiredMissing: number;
  readonly keysOptionalMissing: number;
}

/**
 * Whether every key can be used. A key that cannot be asked about makes the broker unready without counts; one that is
 * there and unusable (disabled, of another kind) counts as absent.
 */
export async function readinessOf({ catalog }: Generation, probes: KeyProbes): Promise<Readiness> {
  const outcomes = await probes.of(catalog);
  if ([...outcomes.values()].some(({ state }) => state === "failed")) {
    const counts = { keysTotal: 0, keysPresent: 0, keysRequiredMissing: 0, keysOptionalMissing: 0 };
    return { ready: false, reason: ReadinessReason.BACKEND_UNREACHABLE, ...counts };
  }
  const absent = [...catalog.keys.values()].filter(({ name }) => outcomes.get(name)?.state !== "present");
  const required = absent.filter(({ missing }) => missing === "error").length;
  return {
    ready: required === 0,
    reason: required === 0 ? ReadinessReason.READY : ReadinessReason.REQUIRED_KEY_MISSING,
    keysTotal: catalog.keys.size,
    keysPresent: catalog.keys.size - absent.length,
    keysRequiredMissing: required,
    keysOptionalMissing: absent.length - required,
  };
}
