import { jsonPointer } from "./json-pointer.js";
import type { RefusalList } from "./refusal.js";

/** Objects have no prototype, so that `__proto__` and `constructor` are members like any other. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [member: string]: JsonValue;
}

type JsonRefusals = Pick<RefusalList<"Json">, "add" | "full">;

/** How deep arrays and objects may nest. */
export const MAX_JSON_DEPTH = 128;
/** How long a document may be, in bytes of UTF-8 (in UTF-16 units when it is handed over as a string). */
export const MAX_JSON_LENGTH = 64 * 1024 * 1024;

/**
 * Reads one JSON text (RFC 8259), strictly: UTF-8 without a byte order mark, no repeated member, numbers only as integers
 * (`1`, never `1.0`, `1e0` or `-0`), nothing after the value, at most {@link MAX_JSON_DEPTH} levels.
 *
 * @param refusals - Takes a `Json` refusal for each repeated member and each number in another form, which are read over,
 *   and one for the first syntax error, which ends the reading.
 * @returns The value, with the first of repeated members; `undefined` after a syntax error.
 */
export function readJson(source: string | Uint8Array, refusals: JsonRefusals): JsonValue | undefined {
  const text = decode(source, refusals);
  if (text === undefined) return undefined;
  try {
    return new Reader(text, refusals).document();
  } catch (error) {
    if (!(error instanceof JsonSyntax)) throw error;
    const char = text.codePointAt(error.offset);
    refusals.add({
      code: "Json",
      pointer: error.pointer,
      problem: `${error.place}: ${error.problem}`,
      ...(char === undefined ? { literal: "the end of the document" } : { found: String.fromCodePoint(char) }),
      allowed: error.allowed,
    });
    return undefined;
  }
}

function decode(source: string | Uint8Array, refusals: JsonRefusals): string | undefined {
  const refuse = (problem: string, found: unknown, allowed: string): undefined => {
    refusals.add({ code: "Json", pointer: "", problem, found, allowed });
  };
  if (typeof source !== "string" && !(source instanceof Uint8Array)) {
    throw new TypeError("a document is a string or a Uint8Array; for an object pass JSON.stringify(object)");
  }
  if (source.length > MAX_JSON_LENGTH) {
    return refuse("too long", source.length, `at most ${MAX_JSON_LENGTH} bytes`);
  }
  let text: string;
  if (typeof source === "string") {
    if (!source.isWellFormed()) return refuse("holds an unpaired surrogate", "\ufffd", "well-formed Unicode");
    text = source;
  } else {
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(source);
    } catch {
      return refuse("not valid UTF-8", undefined, "UTF-8 (RFC 3629)");
    }
  }
  if (text.charCodeAt(0) === 0xfeff) {
    return refuse("begins with a byte order mark", "\ufeff", "UTF-8 without a byte order mark (RFC 8259 §8.1)");
  }
  return text;
}

class JsonSyntax extends Error {
  constructor(
    readonly problem: string,
    readonly allowed: string,
    readonly offset: number,
    /** Line and column, for people. */
    readonly place: string,
    readonly pointer: string,
  ) {
    super(problem);
  }
}

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const LONGEST_NUMBER = 64;
const PLAIN_INTEGER = /^(?:0|-?[1-9][0-9]*)$/;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class Reader {
  #at = 0;
  /** The line last asked about. Places are asked for in ascending order, so each newline is looked for once. */
  #line = 1;
  #lineStart = 0;
  #lineEnd: number;
  /** The members and indices that lead to where the reader stands. */
  readonly #path: (string | number)[] = [];

  constructor(
    readonly text: string,
    readonly refusals: JsonRefusals,
  ) {
    this.#lineEnd = this.#newline(0);
  }

  document(): JsonValue {
    this.#space();
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.text.length) this.#fail("text after the end of the document", "nothing after the document");
    return value;
  }

  #value(depth: number): JsonValue {
    switch (this.text[this.#at]) {
      case "{":
        return this.#object(depth + 1);
      case "[":
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    this.#open(depth);
    const object: JsonObject = Object.create(null);
    if (this.#closes("}")) return object;
    for (;;) {
      if (this.text[this.#at] !== '"') this.#fail("a member name is missing", 'a name in double quotes, or "}"');
      const nameAt = this.#at;
      const name = this.#string();
      this.#space();
      if (this.text[this.#at] !== ":") this.#fail("a member has no value", '":"');
      this.#at++;
      this.#space();
      this.#path.push(name);
      const repeated = name in object;
      if (repeated) {
        this.#refuse(nameAt, "the member is given more than once", { found: name }, "each name once in an object");
      }
      const value = this.#value(depth);
      if (!repeated) object[name] = value;
      this.#path.pop();
      if (this.#ends("}")) return object;
    }
  }

  #array(depth: number): JsonValue[] {
    this.#open(depth);
    const array: JsonValue[] = [];
    if (this.#closes("]")) return array;
    for (;;) {
      this.#path.push(array.length);
      array.push(this.#value(depth));
      this.#path.pop();
      if (this.#ends("]")) return array;
    }
  }

  #open(depth: number): void {
    if (depth > MAX_JSON_DEPTH) this.#fail("nested too deeply", `at most ${MAX_JSON_DEPTH} levels`);
    this.#at++;
    this.#space();
  }

  #closes(bracket: string): boolean {
    if (this.text[this.#at] !== bracket) return false;
    this.#at++;
    return true;
  }

  /** After a member or element: true at the closing bracket, false past a comma. */
  #ends(bracket: string): boolean {
    this.#space();
    if (this.#closes(bracket)) return true;
    if (this.text[this.#at] !== ",") this.#fail("a separator is missing", `"," or "${bracket}"`);
    this.#at++;
    this.#space();
    return false;
  }

  #string(): string {
    let value = "";
    let start = ++this.#at;
    for (;;) {
      const code = this.text.charCodeAt(this.#at);
      if (code === 0x22) break;
      if (code === 0x5c) {
        value += this.text.slice(start, this.#at) + this.#escape();
        start = this.#at;
      } else if (code >= 0x20) this.#at++;
      else this.#fail("a string does not end", "a closing quote; control characters escaped");
    }
    value += this.text.slice(start, this.#at++);
    // Pairs may be split over two escapes, so the whole is checked (RFC 8259 §8.2).
    if (!value.isWellFormed()) this.#fail("a string holds an unpaired surrogate", "paired surrogates");
    return value;
  }

  #escape(): string {
    const char = this.text[this.#at + 1] ?? "";
    if (char === "u") {
      const hex = this.text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.#fail("a malformed escape", "\\u and four hexadecimal digits");
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    if (!Object.hasOwn(ESCAPES, char)) this.#fail("an unknown escape", '\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX');
    this.#at += 2;
    return ESCAPES[char]!;
  }

  #number(): number {
    const start = this.#at;
    let end = start;
    while (end - start <= LONGEST_NUMBER && "+-.eE0123456789".includes(this.text[end] ?? " ")) end++;
    const literal = this.text.slice(start, end);
    if (literal.length > LONGEST_NUMBER) this.#fail("a number is too long", `at most ${LONGEST_NUMBER} characters`);
    if (!NUMBER.test(literal)) this.#fail("not a JSON value", "an object, array, string, number, true, false or null");
    if (!PLAIN_INTEGER.test(literal)) {
      const allowed = "an integer in plain digits, without fraction or exponent";
      this.#refuse(start, "not written as an integer", { literal }, allowed);
    }
    this.#at = end;
    return Number(literal);
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.#at)) this.#fail("not a JSON value", "true, false or null");
    this.#at += word.length;
    return value;
  }

  #space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  /** Reading goes on. */
  #refuse(offset: number, problem: string, found: { found: string } | { literal: string }, allowed: string): void {
    if (this.refusals.full) return;
    const told = `${this.#place(offset)}: ${problem}`;
    this.refusals.add({ code: "Json", pointer: this.#pointer(), problem: told, ...found, allowed });
  }

  #pointer(): string {
    return jsonPointer("", ...this.#path);
  }

  #place(offset: number): string {
    while (this.#lineEnd < offset) {
      this.#line++;
      this.#lineStart = this.#lineEnd + 1;
      this.#lineEnd = this.#newline(this.#lineStart);
    }
    return `line ${this.#line}, column ${offset - this.#lineStart + 1}`;
  }

  #newline(from: number): number {
    const at = this.text.indexOf("\n", from);
    return at === -1 ? Number.POSITIVE_INFINITY : at;
  }

  #fail(problem: string, allowed: string): never {
    throw new JsonSyntax(problem, allowed, this.#at, this.#place(this.#at), this.#pointer());
  }
}
