import type { BackendEntry } from "@basil/catalog";
import type { Capabilities } from "../capabilities.js";
import type { CapabilityNote } from "./capability-report.js";
import { isKnownCapability } from "./known-capabilities.js";
import { isChecked } from "./missing-capabilities.js";

/** What is worth telling of a backend's declaration and is no gap. */
export function capabilityNotes(backend: BackendEntry, kind: Capabilities | undefined): CapabilityNote[] {
  const on = { backend: backend.name, kind: backend.kind };
  if (!isChecked(backend)) return [{ note: "undeclared", ...on }];
  const tokens = new Set([...backend.capabilities, ...backend.requires]);
  const unknown = [...tokens].filter((token) => !isKnownCapability(token) && !kind?.features.includes(token));
  const notes: CapabilityNote[] = unknown.map((token) => ({ note: "unknown-capability", ...on, token }));
  if (kind === undefined) return notes;
  const over = (dimension: "engine" | "mintKeyType" | "capability", declared: readonly string[]): CapabilityNote[] =>
    declared.map((token) => ({ note: "overdeclared", ...on, dimension, token }));
  const { engines, capabilities, mintKeyTypes } = backend;
  return [
    ...notes,
    ...over(
      "engine",
      engines.filter((engine) => !kind.engines.includes(engine)),
    ),
    ...over(
      "capability",
      capabilities.filter((token) => isKnownCapability(token) && !kind.features.includes(token)),
    ),
    ...over(
      "mintKeyType",
      mintKeyTypes.filter((type) => !kind.keyTypes[type]?.operations.includes("createKey")),
    ),
  ];
}
