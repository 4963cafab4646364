import { iamArn, type Place } from "../place.js";
import type { AccessKeyRecord, Directory } from "./directory.js";
import type { PrincipalMatch } from "./evaluate.js";
import type { PolicyDocument, PrincipalElement } from "./policy-document.js";

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
  };
}

/** Whether a `Principal` element names the caller itself, its account, or neither. */
export function matchCaller(principal: PrincipalElement, caller: Caller, place: Place): PrincipalMatch {
  if (principal === "*") return "direct";
  const root = iamArn(place, "root", caller.account);
  let match: PrincipalMatch;
  for (const name of principal.get("AWS") ?? []) {
    if (name === "*" || name === caller.arn || name === caller.principalArn) return "direct";
    if (name === root || name === caller.account) match = "account";
  }
  return match;
}
