import { nearest } from "@basil/catalog";
import type { z } from "zod";

type Issue = z.core.$ZodIssue;

/** One line a problem: the key as it stands in the file, what was found, what is allowed. */
export function configProblems(
  error: z.ZodError,
  document: unknown,
  knownKeys: (path: readonly string[]) => string[],
): string[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code !== "unrecognized_keys") return [`${keyName(path)} ${explain(issue, valueAt(document, path))}`];
    return issue.keys.map((key) => {
      const near = nearest(key, knownKeys(path));
      return `${keyName([...path, key])} is not a key of this file${near === undefined ? "" : `; did you mean ${keyName([...path, near])}?`}`;
    });
  });
}

/** `[unlock] unlock-passphrase-file`, or the bare key at the top of the file. */
export function keyName(path: readonly string[]): string {
  return path.length > 1 ? `[${path.slice(0, -1).join(".")}] ${path.at(-1)}` : (path[0] ?? "the file");
}

function explain(issue: Issue, found: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      return `is ${show(found)}; allowed: ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `is ${show(found)}; allowed: ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "too_small":
      return `is ${show(found)}; allowed: a text that is not empty`;
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  bigint: "a whole number",
  boolean: "true or false",
  string: "a text in quotes",
  object: "a table",
  array: "a list",
};

function show(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Date) return "a date";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a table" : JSON.stringify(value);
}

function valueAt(document: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
}
