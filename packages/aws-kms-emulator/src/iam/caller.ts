import { iamArn, type Place } from "../place.js";
import type { AccessKeyRecord, Directory } from "./directory.js";
import type { PrincipalMatch } from "./evaluate.js";
import type { PolicyDocument, PrincipalElement, Statement } from "./policy-document.js";

/** Who made a request, after its signature was checked. */
export interface Caller {
  readonly type: "Account" | "User" | "AssumedRole";
  /** As it appears in messages and logs: a user, an assumed-role session, or the account root. */
  readonly arn: string;
  /** `aws:PrincipalArn`: the role behind a session. */
  readonly principalArn: string;
  readonly account: string;
  readonly userId: string;
  /** Users only. */
  readonly userName: string | undefined;
  readonly tags: ReadonlyMap<string, string>;
  readonly accessKeyId: string;
  /** Read anew at each decision, so that a policy changed a moment ago counts. */
  readonly policies: () => Iterable<PolicyDocument>;
  readonly sessionPolicy: PolicyDocument | undefined;
  /** Milliseconds since the epoch; temporary credentials only. */
  readonly tokenIssuedAt: number | undefined;
  /** ARN of the OpenID Connect provider whose token the session came from. */
  readonly federatedProvider: string | undefined;
}

/** Undefined when the user or role behind the key is gone. */
export function callerOf(key: AccessKeyRecord, directory: Directory, place: Place): Caller | undefined {
  const { accessKeyId } = key;
  if (key.kind === "root") {
    const arn = iamArn(place, "root");
    return {
      type: "Account",
      arn,
      principalArn: arn,
      account: place.account,
      userId: place.account,
      userName: undefined,
      tags: new Map(),
      accessKeyId,
      policies: () => [],
      sessionPolicy: undefined,
      tokenIssuedAt: undefined,
      federatedProvider: undefined,
    };
  }
  if (key.kind === "user") {
    const user = directory.users.get(key.userName);
    if (user === undefined) return undefined;
    return {
      type: "User",
      arn: user.arn,
      principalArn: user.arn,
      account: user.account,
      userId: user.id,
      userName: user.name,
      tags: user.tags,
      accessKeyId,
      policies: () => directory.documentsOf(user),
      sessionPolicy: undefined,
      tokenIssuedAt: undefined,
      federatedProvider: undefined,
    };
  }
  const role = directory.roles.get(key.roleName);
  if (role === undefined) return undefined;
  return {
    type: "AssumedRole",
    arn: `arn:${place.partition}:sts::${role.account}:assumed-role/${role.name}/${key.sessionName}`,
    principalArn: role.arn,
    account: role.account,
    userId: `${role.id}:${key.sessionName}`,
    userName: undefined,
    tags: role.tags,
    accessKeyId,
    policies: () => directory.documentsOf(role),
    sessionPolicy: key.sessionPolicy,
    tokenIssuedAt: key.createdAt,
    federatedProvider: key.federatedProvider,
  };
}

/** How a statement of a resource policy names the caller; undefined when it does not apply to it. */
export function matchCaller(statement: Statement, caller: Caller, place: Place): PrincipalMatch {
  if (statement.principal !== undefined) return matchPrincipal(statement.principal, caller, place);
  if (statement.notPrincipal === undefined) return undefined;
  return isExempt(statement.notPrincipal, caller, place) ? undefined : "direct";
}

function matchPrincipal(principal: PrincipalElement, caller: Caller, place: Place): PrincipalMatch {
  if (principal === "*") return "direct";
  const names = principal.get("AWS") ?? [];
  if (caller.type === "AssumedRole" && names.includes(caller.arn)) return "session";
  if (names.some((name) => name === "*" || name === caller.arn || name === caller.principalArn)) return "direct";
  if (!namesAccount(names, caller, place)) return undefined;
  // The account root user is the account principal, so naming the account names it.
  return caller.type === "Account" ? "direct" : "account";
}

/**
 * A caller is exempt when `NotPrincipal` names everything that is evaluated for it: its account and its user; or its
 * account, its role and its session. One of them left out denies it (IAM User Guide, "NotPrincipal").
 */
function isExempt(notPrincipal: PrincipalElement, caller: Caller, place: Place): boolean {
  if (notPrincipal === "*") return true;
  const names = notPrincipal.get("AWS") ?? [];
  if (names.includes("*")) return true;
  const ownNames = caller.type === "Account" ? [] : [caller.principalArn, caller.arn];
  return namesAccount(names, caller, place) && ownNames.every((name) => names.includes(name));
}

function namesAccount(names: readonly string[], caller: Caller, place: Place): boolean {
  return names.includes(caller.account) || names.includes(iamArn(place, "root", caller.account));
}
