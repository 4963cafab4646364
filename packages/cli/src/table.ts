import type { Terminal } from "./terminal.js";

/** Aligned for people on a terminal, tab-separated elsewhere; nothing at all without rows. */
export function writeTable(header: readonly string[], rows: readonly (readonly string[])[], terminal: Terminal): void {
  if (rows.length === 0) return;
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
