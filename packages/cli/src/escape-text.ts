const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const CONTROLS_BUT_LAYOUT = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Escapes control and format characters as `\uXXXX`, one for each UTF-16 unit, so that text of another party cannot move
 * the cursor, set the title or reorder a line. The form is that of JSON strings (RFC 8259 §7): JSON stays valid. Line feeds
 * and tabs stay.
 */
export function escapeText(text: string): string {
  return text.replace(CONTROLS_BUT_LAYOUT, unitsOf);
}

/** {@link escapeText} of one field or line: line feeds and tabs are escaped too, so that they forge no line or column. */
export function escapeField(text: string): string {
  return text.replace(CONTROLS, unitsOf);
}

function unitsOf(char: string): string {
  return Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`).join(
    "",
  );
}
