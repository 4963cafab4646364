import type { Place } from "../place.js";
import { Refusal } from "../refusal.js";
import { type Caller, matchCaller } from "./caller.js";
import { type AccessRequest, evaluateIdentityPolicies, evaluateResourcePolicy } from "./evaluate.js";
import type { PolicyDocument } from "./policy-document.js";

/** Why a request was denied, in the words the service uses. */
export type DenialReason =
  | "an explicit deny in an identity-based policy"
  | "an explicit deny in a resource-based policy"
  | "an explicit deny in a session policy"
  | "no identity-based policy allows"
  | "no resource-based policy allows"
  | "no session policy allows";

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: DenialReason };

const allowed: Decision = { allowed: true };
const deny = (reason: DenialReason): Decision => ({ allowed: false, reason });

export interface Protected {
  /** Of a key or a role; undefined for actions without one, which identity policies decide alone. */
  readonly policy: { readonly kind: "key" | "trust"; readonly document: PolicyDocument } | undefined;
  /** Account that owns the resource. */
  readonly account: string;
  /** Whether a grant on a key lets this caller do this. */
  readonly granted?: boolean;
}

/**
 * The decision of IAM (User Guide, "Policy evaluation logic"; KMS Developer Guide, "Key policies"): any deny first, then a
 * key policy or a grant that allows the caller by name, then delegation to the account together with an identity policy.
 */
export function decide(caller: Caller, request: AccessRequest, resource: Protected, place: Place): Decision {
  const identity = evaluateIdentityPolicies(caller.policies(), request);
  const session =
    caller.sessionPolicy === undefined ? "Allow" : evaluateIdentityPolicies([caller.sessionPolicy], request);
  if (identity === "Deny") return deny("an explicit deny in an identity-based policy");
  if (session === "Deny") return deny("an explicit deny in a session policy");
  const isRoot = caller.type === "Account" && caller.account === resource.account;
  const byIdentity = isRoot || identity === "Allow";
  if (resource.policy === undefined) {
    if (caller.account !== resource.account) return deny("no resource-based policy allows");
    if (!byIdentity) return deny("no identity-based policy allows");
    return session === "Allow" ? allowed : deny("no session policy allows");
  }
  const key = evaluateResourcePolicy(resource.policy.document, resource.policy.kind, request, (statement) =>
    matchCaller(statement, caller, place),
  );
  if (key.effect === "Deny") return deny("an explicit deny in a resource-based policy");
  if (caller.account !== resource.account) {
    if (resource.granted) return session === "Allow" ? allowed : deny("no session policy allows");
    if (key.effect !== "Allow" && !key.delegates) return deny("no resource-based policy allows");
    if (!byIdentity && caller.type !== "Account") return deny("no identity-based policy allows");
    return session === "Allow" ? allowed : deny("no session policy allows");
  }
  // What a policy gives a role session by its own ARN, the session policy does not limit; what it gives the role, it does.
  if (key.allowsSession) return allowed;
  if (session !== "Allow") return deny("no session policy allows");
  if (key.effect === "Allow" || resource.granted) return allowed;
  if (!key.delegates) return deny("no resource-based policy allows");
  return byIdentity ? allowed : deny("no identity-based policy allows");
}

/** The text of an access denial, in the service's forms (IAM User Guide, "Troubleshoot access denied error messages"). */
function denialText(caller: Caller, action: string, resource: string | undefined, reason: DenialReason): string {
  const what = `User: ${caller.arn} is not authorized to perform: ${action}${resource === undefined ? "" : ` on resource: ${resource}`}`;
  return reason.startsWith("an explicit deny")
    ? `${what} with ${reason}`
    : `${what} because ${reason} the ${action} action`;
}

export function accessDenied(
  caller: Caller,
  action: string,
  resource: string | undefined,
  reason: DenialReason,
): Refusal {
  return new Refusal("AccessDeniedException", denialText(caller, action, resource, reason));
}
