import { type BackendEntry, type Catalog, compareNames } from "@basil/catalog";
import type { Capabilities } from "../capabilities.js";
import { capabilityNotes } from "./capability-notes.js";
import {
  CAPABILITY_MODES,
  type CapabilityGap,
  type CapabilityMode,
  type CapabilityReport,
  type MissingCapability,
} from "./capability-report.js";
import { isChecked, isUnservable, missingForKey, missingForRequires } from "./missing-capabilities.js";
import { type KeyRequirement, requiredCapabilities } from "./required-capabilities.js";

export interface CheckCapabilitiesOptions {
  readonly catalog: Catalog;
  /** What each kind can do at best, by kind: `BackendPlugin.capabilities`. */
  readonly provided: ReadonlyMap<string, Capabilities>;
  readonly mode: CapabilityMode;
}

/**
 * Whether what the catalog requires is within what its backends provide: the intersection of what it declares for them
 * with what their kinds can do, by engine, key type and operation. No call is made.
 *
 * A backend that declares nothing and requires nothing is held to what its kind can do alone.
 *
 * @throws TypeError for a mode that is not `strict`, `degraded` or `off`.
 */
export function checkCapabilities({ catalog, provided, mode }: CheckCapabilitiesOptions): CapabilityReport {
  if (!CAPABILITY_MODES.includes(mode)) {
    throw new TypeError(`mode must be one of ${CAPABILITY_MODES.join(", ")}, found ${String(mode)}`);
  }
  const backends = [...catalog.backends.values()];
  const unloaded = backends
    .filter(({ kind }) => !provided.has(kind))
    .map(({ name, kind }) => ({ backend: name, kind }));
  if (mode === "off") {
    return { mode, ok: true, enforced: 0, skippedUndeclared: 0, warnings: 0, gaps: [], notes: [], unloaded };
  }
  const { keys } = requiredCapabilities(catalog);
  const gaps = [
    ...backends.map((backend) => gapOf(backend, missingForRequires(backend, provided.get(backend.kind)), mode)),
    ...keys.map((key) => {
      const backend = catalog.backends.get(key.backend) as BackendEntry;
      return gapOf(backend, missingForKey(key, backend, provided.get(backend.kind)), mode, key);
    }),
  ].filter((gap) => gap !== undefined);
  const checked = backends.filter(isChecked).length;
  const fatal = gaps.filter((gap) => gap.fatal).length;
  return {
    mode,
    ok: fatal === 0,
    enforced: checked,
    skippedUndeclared: backends.length - checked,
    warnings: gaps.length - fatal,
    gaps: gaps.sort((a, b) => compareNames(a.backend, b.backend) || compareNames(a.key ?? "", b.key ?? "")),
    notes: backends.flatMap((backend) => capabilityNotes(backend, provided.get(backend.kind))),
    unloaded,
  };
}

function gapOf(
  { name, kind }: BackendEntry,
  needs: readonly MissingCapability[],
  mode: CapabilityMode,
  key?: KeyRequirement,
): CapabilityGap | undefined {
  if (needs.length === 0) return undefined;
  const missing = (dimension: MissingCapability["dimension"]) =>
    needs.filter((need) => need.dimension === dimension).map(({ need }) => need);
  return {
    backend: name,
    kind,
    ...(key && { key: key.key, missing: key.missing }),
    fatal: mode === "strict" || key?.missing === "error" || (key !== undefined && needs.some(isUnservable)),
    missingEngines: missing("engine"),
    missingCapabilities: missing("capability"),
    missingMintKeyTypes: missing("mintKeyType"),
    needs,
  };
}
