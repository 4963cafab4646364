import { KEY_TYPES, type KeyType, type TransitOperation } from "@basil/core";
import type { Rule } from "./conformance-case.js";
import { mustRefuseUnclaimed } from "./refuse-unclaimed.js";
import type { Subject } from "./subject.js";

/**
 * One rule for each key type, about those operations. Where some of them are not claimed the rule is that exactly those
 * are refused: no rule is skipped.
 *
 * @internal
 */
export function perKeyType(
  group: string,
  rule: string,
  operations: readonly TransitOperation[],
  check: (subject: Subject, keyType: KeyType) => Promise<void>,
): readonly Rule[] {
  return KEY_TYPES.map((keyType) => ({
    group,
    name: `${keyType}: ${rule}, or what is not claimed is refused`,
    check: async (subject: Subject) => {
      const unclaimed = operations.filter((operation) => !subject.claims(keyType, operation));
      if (unclaimed.length === 0) return check(subject, keyType);
      for (const operation of unclaimed) await mustRefuseUnclaimed(subject, keyType, operation);
    },
  }));
}
