import { escapeControls } from "@basil/catalog";

/** A name longer than this is cut: a refused caller must not fill the disk with names that do not exist. */
const MAX_NAME = 256;

/** A name as logs and records hold it: at most 256 characters, and none that moves the cursor or forges a line. */
export function recordedName(text: string): string {
  return escapeControls(text.length > MAX_NAME ? `${text.slice(0, MAX_NAME).toWellFormed()}…` : text);
}
