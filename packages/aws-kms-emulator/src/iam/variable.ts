import type { ConditionContext } from "./condition.js";
import { literal } from "./wildcard.js";

/** What the text is compared as: wholly, or with its `*` and `?` as wildcards. */
export type VariableUse = "text" | "pattern";

/**
 * Fills in `${aws:username}` and the like, `${key, 'default'}` included; `${*}`, `${?}` and `${$}` are the characters
 * themselves, in a pattern too. Undefined when a variable has no value: a text with an unresolved variable matches nothing.
 */
export function expandVariables(text: string, context: () => ConditionContext, use: VariableUse): string | undefined {
  if (!text.includes("${")) return text;
  let resolved = true;
  const expanded = text.replace(/\$\{([^}]*)\}/g, (_, inner: string) => {
    if (inner === "*" || inner === "?" || inner === "$") return use === "pattern" ? literal(inner) : inner;
    const match = /^\s*([^,\s]+)\s*(?:,\s*'([^']*)')?\s*$/.exec(inner);
    const values = match?.[1] === undefined ? undefined : context().get(match[1].toLowerCase());
    const value = values?.length === 1 ? values[0] : match?.[2];
    if (value === undefined) resolved = false;
    return value ?? "";
  });
  return resolved ? expanded : undefined;
}
