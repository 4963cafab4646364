import type * as z from "zod";
import { jsonPointer } from "./json-pointer.js";
import type { JsonObject, JsonValue } from "./json-reader.js";
import type { RefusalList } from "./refusal.js";

/**
 * Reads `value` by `schema`, adding a `Json` refusal for each member that has the wrong shape.
 *
 * @returns The members that have the right shape; a wrong one is absent and named in `wrong`, so that rules across
 *   members can still be applied to the rest. `undefined` when `value` is no object at all.
 */
export function readShape<S extends z.ZodObject>(
  schema: S,
  value: JsonValue | undefined,
  pointer: string,
  refusals: Pick<RefusalList<"Json">, "add">,
): { readonly members: Partial<z.output<S>>; readonly wrong: ReadonlySet<string> } | undefined {
  if (refusesLongList(value, pointer, refusals)) return { members: {}, wrong: new Set(Object.keys(schema.shape)) };
  const parsed = schema.safeParse(value, { error: knownMembers });
  if (parsed.success) return { members: parsed.data, wrong: new Set() };
  addShapeRefusals(parsed.error.issues, value, pointer, refusals);
  if (!isJsonObject(value)) return undefined;
  const members: Record<string, unknown> = {};
  const wrong = new Set<string>();
  for (const [name, member] of Object.entries(schema.shape)) {
    const result = (member as z.ZodType).safeParse(value[name]);
    if (!result.success) wrong.add(name);
    else if (result.data !== undefined) members[name] = result.data;
  }
  return { members: members as Partial<z.output<S>>, wrong };
}

/** Reads `value` by `schema`; `undefined` when it has another shape, which is told as {@link readShape} tells it. */
export function readValue<S extends z.ZodType>(
  schema: S,
  value: JsonValue | undefined,
  pointer: string,
  refusals: Pick<RefusalList<"Json">, "add">,
): z.output<S> | undefined {
  if (refusesLongList(value, pointer, refusals)) return undefined;
  const parsed = schema.safeParse(value, { error: knownMembers });
  if (parsed.success) return parsed.data;
  addShapeRefusals(parsed.error.issues, value, pointer, refusals);
  return undefined;
}

/** Reads the members of `value` by `schema`, those named in `walked` only as far as that they are an object or an array. */
export function readFrame<S extends z.ZodObject>(
  schema: S,
  value: JsonValue,
  walked: readonly string[],
  pointer: string,
  refusals: Pick<RefusalList<"Json">, "add">,
): JsonObject {
  if (!isJsonObject(value)) {
    readShape(schema, value, pointer, refusals);
    return {};
  }
  const frame: JsonObject = Object.assign(Object.create(null), value);
  for (const name of walked) {
    const member = value[name];
    if (Array.isArray(member)) frame[name] = member.slice(0, 1).map(() => null);
    else if (isJsonObject(member)) frame[name] = Object.keys(member).length === 0 ? {} : { "": null };
  }
  readShape(schema, frame, pointer, refusals);
  return value;
}

/** How many elements a list inside an entry may have, so that the issues of a wrong one stay bounded. */
export const MAX_LIST_LENGTH = 65_536;

function refusesLongList(
  value: JsonValue | undefined,
  pointer: string,
  refusals: Pick<RefusalList<"Json">, "add">,
): boolean {
  if (Array.isArray(value) && value.length > MAX_LIST_LENGTH) {
    const allowed = `at most ${MAX_LIST_LENGTH} elements`;
    refusals.add({ code: "Json", pointer, problem: "a list too long", literal: `${value.length} elements`, allowed });
    return true;
  }
  if (!isJsonObject(value)) return false;
  let refused = false;
  for (const [name, member] of Object.entries(value)) {
    if (typeof member !== "object") continue;
    if (refusesLongList(member, jsonPointer(pointer, name), refusals)) refused = true;
  }
  return refused;
}

/** An object of the document, not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The message of an unknown-member issue carries the names that are known there, which the finished issue drops. */
function knownMembers(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== "unrecognized_keys") return undefined;
  const def = (issue.inst as z.ZodType | undefined)?.def;
  return def !== undefined && "shape" in def ? Object.keys(def.shape as object).join(" ") : "";
}

function addShapeRefusals(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  pointer: string,
  refusals: Pick<RefusalList<"Json">, "add">,
): void {
  const told = new Set<string>();
  for (const issue of issues) {
    const at = jsonPointer(pointer, ...(issue.path as (string | number)[]));
    if (issue.code === "unrecognized_keys") {
      const known = issue.message.split(" ").filter((name) => name !== "");
      for (const name of issue.keys) {
        refusals.add({
          code: "Json",
          pointer: jsonPointer(at, name),
          problem: "unknown member",
          found: name,
          allowed: known.length === 0 ? "no members" : known.join(", "),
          vocabulary: known,
        });
      }
      continue;
    }
    if (told.has(at)) continue;
    told.add(at);
    const found = issue.path.reduce<unknown>((inner, token) => (inner as never)?.[token as never], value);
    const vocabulary = allowedWords(issue);
    refusals.add({
      code: "Json",
      pointer: at,
      problem: found === undefined ? "required member is missing" : "not allowed here",
      found,
      allowed: vocabulary === undefined ? allowedType(issue) : vocabulary.join(", "),
      // A number in another form is told when it is read.
      secondary: typeof found === "number",
      ...(vocabulary === undefined ? {} : { vocabulary }),
    });
  }
}

function allowedWords(issue: z.core.$ZodIssue): string[] | undefined {
  if (issue.code === "invalid_value") return issue.values.map(String);
  if (issue.code === "invalid_union" && "options" in issue) return (issue.options as unknown[]).map(String);
  return undefined;
}

const ALLOWED_TYPES: Readonly<Record<string, string>> = {
  string: "a string",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  record: "an object",
};

/** Every number of a document is an unsigned 32-bit integer. */
function allowedType(issue: z.core.$ZodIssue): string {
  const named = issue.code === "invalid_type" ? ALLOWED_TYPES[issue.expected] : undefined;
  return named ?? "an integer from 0 to 4294967295";
}
