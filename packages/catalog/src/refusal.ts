import { nearest } from "./nearest.js";

/** One reason why a document is not taken. Codes are stable; messages may change. */
export interface Refusal<Code extends string = string> {
  readonly code: Code;
  /** JSON pointer (RFC 6901) to the offending place; the place where a missing member belongs. */
  readonly pointer: string;
  /** One line for a person: place, problem, what was found, what is allowed, the near miss. */
  readonly message: string;
  /** What stands there, shortened to at most 80 characters, control characters escaped. */
  readonly found: string;
  readonly allowed: string;
  /** The nearest allowed name, when the found one looks like a slip. */
  readonly suggestion?: string;
}

/** A refusal as its rule states it; the message is made from it. */
export interface RefusalParts<Code extends string> {
  readonly code: Code;
  readonly pointer: string;
  /** What is wrong, without the place and without the value. */
  readonly problem: string;
  /** The JSON value that stands there; `undefined` for nothing. */
  readonly found?: unknown;
  /** What stands there, when it is no JSON value: a number as written, the end of the document. */
  readonly literal?: string;
  readonly allowed: string;
  /** The vocabulary in which a near miss for `found` is looked for. */
  readonly vocabulary?: Iterable<string>;
  /** Not told of a place that has a refusal of this code already. */
  readonly secondary?: boolean;
  /** What was probably meant, when the rule knows better than a look into the vocabulary. */
  readonly suggestion?: string | undefined;
}

/** How many refusals of one document are told. */
export const MAX_REFUSALS = 1000;
/** Near misses are looked for in the first refusals only, and only so far into a vocabulary. */
const MAX_SUGGESTIONS = 100;
const MAX_VOCABULARY = 5000;
const MAX_KEPT_CHARACTERS = 1024 * 1024;
const MAX_SHOWN = 80;

/** Collects the refusals of one document, a bounded number and size of them, so that a huge bad document stays cheap. */
export class RefusalList<Code extends string> {
  readonly items: Refusal<Code>[] = [];
  readonly #places = new Set<string>();
  #characters = 0;

  get empty(): boolean {
    return this.items.length === 0;
  }

  /** True when no more are kept: whoever would have to work to find one more stops looking. */
  get full(): boolean {
    return this.items.length >= MAX_REFUSALS || this.#characters >= MAX_KEPT_CHARACTERS;
  }

  add(parts: RefusalParts<Code>): void {
    if (this.full) return;
    const place = `${parts.code} ${parts.pointer}`;
    if (parts.secondary && this.#places.has(place)) return;
    this.#places.add(place);
    const refusal = refusalOf(parts, this.items.length < MAX_SUGGESTIONS);
    this.#characters += refusal.pointer.length + refusal.message.length + refusal.allowed.length;
    this.items.push(refusal);
  }

  /** The text of an error: a line for every refusal kept. */
  describe(document: string): string {
    const lines = this.items.map(({ message }) => `\n  ${message}`);
    const count = lines.length === 1 ? "1 reason" : `${lines.length} reasons`;
    return `${document} refused, ${count}${this.full ? ", and there may be more" : ""}:${lines.join("")}`;
  }
}

function refusalOf<Code extends string>(parts: RefusalParts<Code>, suggests: boolean): Refusal<Code> {
  const { code, pointer, problem, allowed } = parts;
  const found = parts.literal ?? showValue(parts.found);
  const suggestion = parts.suggestion ?? (suggests ? nearMiss(parts.found, parts.vocabulary) : undefined);
  const hint = suggestion === undefined ? "" : `; did you mean ${JSON.stringify(suggestion)}?`;
  const message = `${showPointer(pointer)}: ${problem}; found ${found}; allowed: ${allowed}${hint}`;
  return suggestion === undefined
    ? { code, pointer, message, found, allowed }
    : { code, pointer, message, found, allowed, suggestion };
}

function nearMiss(found: unknown, vocabulary: Iterable<string> | undefined): string | undefined {
  if (typeof found !== "string" || vocabulary === undefined) return undefined;
  return nearest(found, vocabulary, MAX_VOCABULARY);
}

function showPointer(pointer: string): string {
  return pointer === "" ? "the document" : escapeControls(shorten(pointer, 4 * MAX_SHOWN));
}

/** A JSON value in a few words: scalars as written, containers by kind. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return escapeControls(JSON.stringify(shorten(value, MAX_SHOWN)));
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  if (typeof value === "object" && value !== null) {
    return Object.keys(value).length === 0 ? "an empty object" : "an object";
  }
  return String(value);
}

function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).toWellFormed()}…`;
}

/** Control and format characters as `\u{…}`, so that a name cannot forge or reorder a line of output. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}
