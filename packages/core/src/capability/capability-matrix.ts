import type { KeyType } from "@basil/catalog";
import { KEY_TYPES } from "@basil/catalog";
import { type ByteRange, type Capabilities, TRANSIT_OPERATIONS } from "../capabilities.js";

/** What a kind does with one key type, as text. */
export interface CapabilityMatrixRow {
  readonly kind: string;
  readonly keyType: KeyType;
  /** In the order of `TRANSIT_OPERATIONS`. */
  readonly operations: readonly boolean[];
  /** Bytes, both ends included, or "-". */
  readonly message: string;
  readonly plaintext: string;
}

/** One row for each kind and key type it backs, kinds in the order given, key types in the order of the catalog. */
export function capabilityMatrix(provided: ReadonlyMap<string, Capabilities>): CapabilityMatrixRow[] {
  return [...provided].flatMap(([kind, { keyTypes }]) =>
    KEY_TYPES.flatMap((keyType): CapabilityMatrixRow[] => {
      const backed = keyTypes[keyType];
      if (backed === undefined) return [];
      const operations = TRANSIT_OPERATIONS.map((operation) => backed.operations.includes(operation));
      return [
        { kind, keyType, operations, message: rangeText(backed.message), plaintext: rangeText(backed.plaintext) },
      ];
    }),
  );
}

/** The matrix as a Markdown table, its columns aligned, without a newline at the end. */
export function renderCapabilityMatrix(provided: ReadonlyMap<string, Capabilities>): string {
  const header = ["kind", "key type", ...TRANSIT_OPERATIONS, "message bytes", "plaintext bytes"];
  const rows = capabilityMatrix(provided).map(({ kind, keyType, operations, message, plaintext }) => [
    kind,
    keyType,
    ...operations.map((offered) => (offered ? "yes" : "-")),
    message,
    plaintext,
  ]);
  return markdownTable([header, ...rows]);
}

/** Engines and feature tokens of each kind as a Markdown table, without a newline at the end. */
export function renderEngineTable(provided: ReadonlyMap<string, Capabilities>): string {
  const rows = [...provided].map(([kind, { engines, features }]) => [
    kind,
    engines.join(", ") || "-",
    features.join(", ") || "-",
  ]);
  return markdownTable([["kind", "engines", "capabilities"], ...rows]);
}

function rangeText(range: ByteRange | undefined): string {
  if (range === undefined) return "-";
  return range.max === undefined ? `${range.min} or more` : `${range.min} to ${range.max}`;
}

function markdownTable([header = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(...[header, ...rows].map((row) => (row[column] ?? title).length)),
  );
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
