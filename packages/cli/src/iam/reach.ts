import type { Asked, Deployment } from "./asked-policy.js";
import { ALIAS_NAME, instancesOf } from "./instances.js";
import { speaksOfAction } from "./judge.js";
import { type KmsResourceKind, kmsActions } from "./kms-actions.js";
import type { PolicyStatement } from "./policy-statement.js";

/** What one pattern of an Allow statement reaches by one action. */
export interface Reach {
  readonly statement: PolicyStatement;
  readonly pattern: string;
  /** How the document says it. */
  readonly label: string;
  /** Requests that the pattern matches; at least one. */
  readonly asked: readonly [Asked, ...Asked[]];
}

/**
 * What the Allow statements may reach beside the keys of the deployment.
 *
 * @param forms - The aliases that requests name; else those that the statement's own condition asks for and that lead to
 *   no key of the catalog.
 */
export function reachOf(
  statements: readonly PolicyStatement[],
  { place, aliases, keys }: Deployment,
  forms?: readonly string[],
): Reach[] {
  const known = new Set(keys.map(({ arn }) => arn));
  return statements.flatMap((statement) => {
    if (statement.Effect !== "Allow") return [];
    const named = forms ?? aliasesNamed(statement).filter((alias) => !aliases.includes(alias));
    const all = statement.Resource === undefined ? `all but ${statement.NotResource?.join(", ")}` : undefined;
    return (statement.Resource ?? ["*"]).flatMap((pattern) => {
      const found = new Map<KmsResourceKind, readonly string[]>();
      const instances = (kind: KmsResourceKind): readonly string[] => {
        const before = found.get(kind);
        if (before !== undefined) return before;
        const text = pattern.replaceAll(/\$\{[^}]*\}/g, "*");
        const now = instancesOf(text, kind, place, aliases).filter((arn) => !known.has(arn));
        found.set(kind, now);
        return now;
      };
      return kmsActions.flatMap(({ action, on, takesAlias }) => {
        if (!speaksOfAction(statement, action)) return [];
        const called = takesAlias ? [undefined, ...named] : [undefined];
        const [first, ...more] = on.flatMap((kind) =>
          instances(kind).flatMap((resource) => called.map((alias): Asked => ({ action, kind, resource, alias }))),
        );
        return first === undefined ? [] : [{ statement, pattern, label: all ?? pattern, asked: [first, ...more] }];
      });
    });
  });
}

/** One alias for each pattern of `kms:RequestAlias` in a statement, and one of another name. */
function aliasesNamed({ Condition = {} }: PolicyStatement): string[] {
  const keys = Object.values(Condition).flatMap((one) => Object.entries(one));
  const patterns = keys.flatMap(([key, values]) => (key.toLowerCase() === "kms:requestalias" ? values : []));
  const named = patterns.map((pattern) => pattern.replaceAll("*", "example").replaceAll("?", "x"));
  return patterns.length === 0 ? [] : [...named.filter((name) => ALIAS_NAME.test(name)), "alias/example"];
}
