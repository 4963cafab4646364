import { KEY_TYPES, type KeyType, TRANSIT_OPERATIONS, type TransitOperation } from "@basil/core";
import type { Rule } from "../conformance-case.js";
import { hasMethod, invoke } from "../invoke.js";
import { must, mustRefuse } from "../must.js";
import { mustRefuseUnclaimed } from "../refuse-unclaimed.js";
import type { Subject } from "../subject.js";

/** For every key type and operation: refused by capability exactly when it is not claimed, before any key is looked for. */
export const refusalRules: readonly Rule[] = KEY_TYPES.flatMap((keyType) =>
  TRANSIT_OPERATIONS.map((operation) => ({
    group: "claims",
    name: `${operation} with ${keyType} is refused by capability exactly when it is not claimed`,
    check: (subject: Subject) => check(subject, keyType, operation),
  })),
);

async function check(subject: Subject, keyType: KeyType, operation: TransitOperation): Promise<void> {
  if (!subject.claims(keyType, operation)) return mustRefuseUnclaimed(subject, keyType, operation);
  must(hasMethod(subject, operation), `${operation} is claimed for ${keyType}, and the engine has no such method`);
  const call = invoke(subject, operation, subject.absentKey(keyType));
  if (operation === "createKey") {
    await call;
    return;
  }
  const what = `${operation} with a ${keyType} key that is not there`;
  if (operation === "decrypt") await mustRefuse(what, call, "KEY_NOT_FOUND", "DECRYPT_FAILED");
  else await mustRefuse(what, call, "KEY_NOT_FOUND");
}
