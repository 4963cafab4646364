import { escapeField } from "./escape-text.js";
import type { Terminal } from "./terminal.js";

/** Cells are escaped: a name cannot forge a column or a line. Aligned for people on a terminal, tab-separated elsewhere; nothing at all without rows. */
export function writeTable(header: readonly string[], cells: readonly (readonly string[])[], terminal: Terminal): void {
  if (cells.length === 0) return;
  const rows = cells.map((row) => row.map(escapeField));
  const { out, colors, isTerminal } = terminal;
  if (!isTerminal) {
    for (const row of [header, ...rows]) out(row.join("\t"));
    return;
  }
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const align = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  out(colors.bold(align(header)));
  for (const row of rows) out(align(row));
}
