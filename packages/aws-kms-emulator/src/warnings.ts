import { isKnownConditionKey } from "./iam/condition-keys.js";
import type { Directory } from "./iam/directory.js";
import type { PolicyDocument } from "./iam/policy-document.js";
import type { KeyStore } from "./kms/key-store.js";

/** Every policy in force, with a name for messages. */
function* policies(directory: Directory, store: KeyStore): Generator<readonly [holder: string, PolicyDocument]> {
  for (const identity of [...directory.users.values(), ...directory.roles.values()]) {
    for (const [name, document] of identity.inlinePolicies) yield [`policy ${name} of ${identity.arn}`, document];
  }
  for (const role of directory.roles.values()) yield [`trust policy of ${role.arn}`, role.trust];
  for (const policy of directory.policies.values()) yield [policy.arn, policy.document];
  for (const key of store.keys.values()) yield [`key policy of ${key.arn}`, key.policy];
  for (const key of directory.accessKeys.values()) {
    if (key.kind === "session" && key.sessionPolicy !== undefined) {
      yield [`session policy of ${key.roleName}/${key.sessionName}`, key.sessionPolicy];
    }
  }
}

/** One sentence for each condition key of a policy in force that the engine does not know. */
export function conditionKeyWarnings(directory: Directory, store: KeyStore): readonly string[] {
  const warnings = new Set<string>();
  for (const [holder, { statements }] of policies(directory, store)) {
    for (const { name, key } of statements.flatMap(({ conditions }) => conditions)) {
      if (isKnownConditionKey(key)) continue;
      warnings.add(`${holder}: the emulator does not know the condition key ${name} and evaluates it as absent`);
    }
  }
  return [...warnings];
}
