import { escapeControls } from "@basil/catalog";
import { writeTable } from "../table.js";
import type { Terminal } from "../terminal.js";

/** {@link writeTable} of texts out of documents: a name in one cannot forge a column, a line or a colour. */
export function writeSafeTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
): void {
  writeTable(
    header,
    rows.map((row) => row.map(escapeControls)),
    terminal,
  );
}
