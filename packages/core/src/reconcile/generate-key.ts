import type { BackendEntry, KeyEntry } from "@basil/catalog";
import { abortableDelay } from "../abortable.js";
import type { Backend, KeyProbe } from "../backend.js";
import type { CallContext } from "../call-context.js";
import { servingEngine } from "../capability/class-needs.js";
import { requireMintable } from "../capability/mint-gate.js";
import { asBackendError, BackendError } from "../errors.js";
import { keyRef } from "../key-ref.js";
import { within } from "../within.js";
import { probeKey } from "./probe-key.js";
import type { KeyOutcome } from "./report.js";

export interface GenerateLimits {
  /** Milliseconds for the creation itself. */
  readonly createMs: number;
  /** Milliseconds until the fresh key is found by a probe. */
  readonly readBackMs: number;
}

const READ_BACK_DELAY_MS = 250;

/**
 * Whether the key could be made, by what is known without asking anyone.
 *
 * @throws {@link BackendError} `UNSUPPORTED_ALGORITHM`, `UNSUPPORTED`
 */
export function requireGeneratable(entry: KeyEntry, declared: BackendEntry, { kind, capabilities }: Backend): void {
  const { keyType, class: keyClass, engine } = entry;
  if (keyType === undefined || servingEngine(entry) !== "transit") {
    throw new BackendError(
      "UNSUPPORTED",
      `a key of class ${keyClass} in engine ${engine} is not generated; put it there, or set missing to "error" or "warn"`,
      { operation: "createKey" },
    );
  }
  requireMintable(declared, keyType);
  if (capabilities.keyTypes[keyType]?.operations.includes("createKey")) return;
  throw new BackendError("UNSUPPORTED_ALGORITHM", `kind "${kind}" cannot create a key of type ${keyType}`, { keyType });
}

/** Makes one key and gives the backend's name of it; undefined when one was there already. */
export type Maker = (context: CallContext) => Promise<string | undefined>;

/** Has the backend create the key in its transit engine. */
export function keyMaker(entry: KeyEntry, { transit }: Backend): Maker {
  return async (context) => {
    if (transit === undefined) throw new BackendError("UNSUPPORTED", "no transit engine", { operation: "createKey" });
    try {
      return (await transit.createKey(keyRef(entry), context)).resource;
    } catch (failure) {
      if (asBackendError(failure).code === "KEY_EXISTS") return undefined;
      throw failure;
    }
  };
}

/**
 * Makes the key at its path, and probes until it is seen. A creation is never repeated: its answer may be what was lost.
 * `present` means that somebody else, or another entry of the catalog, was first.
 */
export async function generateKey(
  entry: KeyEntry,
  backend: Backend,
  make: Maker,
  context: CallContext,
  limits: GenerateLimits,
): Promise<KeyOutcome> {
  let resource: string | undefined;
  try {
    resource = await create(make, context, limits.createMs);
    const probe = await readBack(entry, backend, context, limits.readBackMs);
    const outcome = resource === undefined ? "present" : "generated";
    if (probe.state === "present") return { outcome, latestVersion: probe.latestVersion, resource: probe.resource };
    throw notServing(entry, probe, limits.readBackMs);
  } catch (failure) {
    const error = asBackendError(failure);
    return resource === undefined
      ? { outcome: "generate-failed", error }
      : { outcome: "generate-failed", error, resource };
  }
}

function create(make: Maker, context: CallContext, ms: number): Promise<string | undefined> {
  const message = `it is not made after ${ms / 1000} s; look for the key before the next run`;
  const deadline = Math.min(context.deadline ?? Number.POSITIVE_INFINITY, Date.now() + ms);
  // A cancelled creation is waited for, so that what it made is reported; only its own time limit ends it.
  const work = (limit: AbortSignal) => make({ ...context, signal: AbortSignal.any([context.signal, limit]), deadline });
  return within(ms, undefined, work, { late: () => new BackendError("UNAVAILABLE", message, {}) });
}

async function readBack(entry: KeyEntry, backend: Backend, context: CallContext, ms: number): Promise<KeyProbe> {
  const message = `the key was made, and its probe has not answered for ${ms / 1000} s`;
  let found: KeyProbe | undefined;
  const probeUntilSeen = async (signal: AbortSignal): Promise<KeyProbe> => {
    for (let delay = READ_BACK_DELAY_MS; ; delay *= 2) {
      try {
        found = await probeKey(entry, backend, { ...context, signal });
        if (found.state !== "absent") return found;
      } catch (failure) {
        if (signal.aborted || asBackendError(failure).code !== "UNAVAILABLE") throw failure;
      }
      await abortableDelay(delay, signal);
    }
  };
  const late = new BackendError("UNAVAILABLE", message, {});
  try {
    return await within(ms, context.signal, probeUntilSeen, { late: () => late });
  } catch (failure) {
    if (failure === late && found !== undefined) return found;
    throw failure;
  }
}

function notServing(entry: KeyEntry, probe: KeyProbe, ms: number): BackendError {
  if (probe.state !== "unusable") {
    return new BackendError("UNAVAILABLE", `the key was made, and is not seen after ${ms / 1000} s`, {});
  }
  const details = { key: entry.name, reason: probe.reason };
  return new BackendError("KEY_UNUSABLE", `the key is there now, and cannot be used: ${probe.reason}`, details);
}
