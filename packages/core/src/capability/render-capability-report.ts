import type { CapabilityGap, CapabilityNote, CapabilityReport, MissingCapability } from "./capability-report.js";

/**
 * The report as lines for the operator: a summary, the gaps, kinds that are not loaded, notes. A gap is one line that
 * names the key or backend, each need, what there is instead, and the remedy.
 */
export function renderCapabilityReport(report: CapabilityReport): string[] {
  return [
    summary(report),
    ...report.gaps.map(renderCapabilityGap),
    ...report.unloaded.map(
      ({ backend, kind }) =>
        `backend "${backend}": no plugin for kind "${kind}" is loaded; only its declaration was checked`,
    ),
    ...report.notes.map(renderNote),
  ];
}

/** One line for the operator: key, backend, what is needed, what there is instead, and the remedy. */
export function renderCapabilityGap(gap: CapabilityGap): string {
  const subject = gap.key === undefined ? "requires" : `key "${gap.key}"`;
  const weight = gap.fatal ? "" : ", tolerated";
  return `${subject} on backend "${gap.backend}" (${gap.kind})${weight}: ${gap.needs.map((need) => describe(need, gap)).join("; ")}`;
}

function summary({ mode, ok, enforced, skippedUndeclared, warnings, gaps }: CapabilityReport): string {
  if (mode === "off") return "capability check off: nothing was checked";
  const fatal = gaps.length - warnings;
  const counts = [
    `${enforced} ${enforced === 1 ? "backend" : "backends"} checked`,
    `${skippedUndeclared} undeclared`,
    `${fatal} fatal ${fatal === 1 ? "gap" : "gaps"}`,
  ];
  return `capability check (${mode}) ${ok ? "ok" : "failed"}: ${counts.join(", ")}, ${warnings} tolerated`;
}

const NAMES = {
  engine: "engine",
  keyType: "key type",
  operation: "operation",
  mintKeyType: "mint key type",
  capability: "capability",
} as const satisfies Record<MissingCapability["dimension"], string>;

function describe(
  { dimension, need, keyType, lacking, offered, remedy }: MissingCapability,
  gap: CapabilityGap,
): string {
  const what = `needs ${NAMES[dimension]} ${need}${keyType === undefined ? "" : ` for ${keyType}`}`;
  const who = lacking === "kind" ? `kind "${gap.kind}" offers` : "the catalog declares";
  return `${what}, ${who} ${offered.join(", ") || "none"}: ${remedy}`;
}

function renderNote(note: CapabilityNote): string {
  const subject = `backend "${note.backend}" (${note.kind})`;
  switch (note.note) {
    case "undeclared":
      return `${subject}: declares no engines, capabilities or mintKeyTypes; only what its kind cannot do is checked`;
    case "unknown-capability":
      return `${subject}: capability "${note.token}" is not a known one and is compared as it stands`;
    case "overdeclared":
      return `${subject}: declares ${NAMES[note.dimension]} ${note.token}, which its kind does not have`;
  }
}
