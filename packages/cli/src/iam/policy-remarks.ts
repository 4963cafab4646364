import { kmsActions } from "./kms-actions.js";
import { matchesText, segments } from "./pattern.js";
import type { PolicyStatement } from "./policy-statement.js";

/** Actions that a policy allows by their whole name and that this program does not know, each with its statement. */
export function unknownActions(statements: readonly PolicyStatement[]) {
  const known = new Set(kmsActions.map(({ action }) => action.toLowerCase()));
  return statements.flatMap((statement) => {
    const named = (statement.Action ?? []).filter((name) => /^kms:[a-z0-9]+$/i.test(name));
    const unknown = named.filter((name) => !known.has(name.toLowerCase()));
    return statement.Effect === "Allow" ? unknown.map((action) => ({ action, statement })) : [];
  });
}

/** What a reader of these policies should know besides: what is not compared, and what never has an effect. */
export function remarksOn(statements: readonly PolicyStatement[]): string[] {
  return statements.flatMap(({ place, Effect, Action = [], NotAction, Resource = [] }) => {
    if (Effect !== "Allow") return [];
    const remarks: string[] = [];
    const others = Action.filter((name) => !name.toLowerCase().startsWith("kms:"));
    if (others.length > 0) remarks.push(`${place} also allows ${others.join(", ")}: other services are not compared`);
    if (NotAction !== undefined) remarks.push(`${place} allows by NotAction, which reaches other services, too`);
    const byAlias = Resource.filter((pattern) => matchesText("alias/*", segments(pattern)[5] ?? ""));
    const onKeys = kmsActions.some(({ action, on }) => !on.includes("alias") && Action.includes(action));
    if (byAlias.length > 0 && onKeys) {
      const why = "an operation on a key is decided by the key's ARN, never by an alias'";
      remarks.push(`${place} names ${byAlias.join(", ")}: ${why}`);
    }
    return remarks;
  });
}
