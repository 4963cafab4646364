import { compareNames } from "@basil/catalog";

// V8 keeps the text of a number beside its value (ECMA-262, JSON.parse source text access; Node 22).
declare global {
  interface JSON {
    rawJSON(text: string): unknown;
    isRawJSON(value: unknown): boolean;
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown,
    ): unknown;
  }
}

export type JsonMembers = Readonly<Record<string, unknown>>;

/** Deeper documents are refused: writing them out again must not exhaust the stack. */
const MAX_DEPTH = 64;
/** Members and elements of the complete document. Reading and sorting as many takes a few milliseconds. */
const MAX_MEMBERS = 1024;

/**
 * The members of a JSON object, numbers as they are written. Nothing at all is an object without members.
 *
 * @throws SyntaxError for anything that is not one JSON object in UTF-8, is nested more than 64 deep, or has more than
 *   1,024 members and elements in all its objects and arrays.
 */
export function readClaims(bytes: Uint8Array): JsonMembers {
  if (bytes.length === 0) return {};
  const text = decodeUtf8(bytes);
  requireSmall(text);
  const value = JSON.parse(text, (_key, member, { source }) =>
    typeof member === "number" && source !== undefined ? JSON.rawJSON(source) : member,
  );
  if (typeof value !== "object" || value === null || Array.isArray(value) || JSON.isRawJSON(value)) {
    throw new SyntaxError("not a JSON object");
  }
  return value as JsonMembers;
}

/** Compact JSON, the members of every object in byte order of their names. */
export function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  if (typeof value !== "object" || value === null || JSON.isRawJSON(value)) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => compareNames(a, b));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedJson(member)}`).join(",")}}`;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SyntaxError("not UTF-8");
  }
}

/** A scan, for a pattern that matches whole strings looks for the end of one that has none again and again. */
function requireSmall(text: string): void {
  let depth = 0;
  // Each comma separates two members; each object and array may have a first one.
  let members = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (inString) {
      if (char === "\\") at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === ",") members++;
    else if (char === "[" || char === "{") {
      depth++;
      members++;
    } else if (char === "]" || char === "}") depth--;
    if (members > MAX_MEMBERS) throw new SyntaxError(`more than ${MAX_MEMBERS} members`);
    if (depth > MAX_DEPTH) throw new SyntaxError(`nested more than ${MAX_DEPTH} deep`);
  }
}
