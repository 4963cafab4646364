import { escapeControls } from "@basil/catalog";

/** A name longer than this is cut: a refused caller must not fill the disk with names that do not exist. */
const MAX_NAME = 256;
/** The start of an escape sequence that the cut divided. */
const DIVIDED_ESCAPE = /\\(u(\{[0-9a-f]{0,6})?)?$/;

/**
 * A name as logs and records hold it: without characters that move the cursor or forge a line, and at most 256 characters
 * long. It is cut after it is escaped, because an escape sequence is up to ten times as long as its character.
 */
export function recordedName(text: string): string {
  const escaped = escapeControls(text.slice(0, MAX_NAME).toWellFormed());
  if (text.length <= MAX_NAME && escaped.length <= MAX_NAME) return escaped;
  return `${escaped
    .slice(0, MAX_NAME - 1)
    .replace(DIVIDED_ESCAPE, "")
    .toWellFormed()}…`;
}
