import type { PolicyDocument } from "./policy-document.js";

/** What users and roles have in common. */
export interface IdentityRecord {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  /** `AIDA…` for users, `AROA…` for roles. */
  readonly id: string;
  readonly account: string;
  readonly createdAt: number;
  readonly tags: Map<string, string>;
  readonly inlinePolicies: Map<string, PolicyDocument>;
  /** ARNs of managed policies. */
  readonly attachedPolicies: Set<string>;
}

export interface UserRecord extends IdentityRecord {
  readonly kind: "user";
}

export interface RoleRecord extends IdentityRecord {
  readonly kind: "role";
  trust: PolicyDocument;
  /** Seconds; what AssumeRole may ask for at most. */
  readonly maxSessionSeconds: number;
}

export interface ManagedPolicyRecord {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly id: string;
  readonly createdAt: number;
  document: PolicyDocument;
}

export interface InstanceProfileRecord {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly id: string;
  readonly createdAt: number;
  roleName: string | undefined;
}

interface KeyOf {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly createdAt: number;
}

export interface RootKeyRecord extends KeyOf {
  readonly kind: "root";
  readonly sessionToken: undefined;
  readonly expiresAt: undefined;
}

export interface UserKeyRecord extends KeyOf {
  readonly kind: "user";
  readonly userName: string;
  readonly sessionToken: undefined;
  readonly expiresAt: undefined;
}

export interface SessionRecord extends KeyOf {
  readonly kind: "session";
  readonly roleName: string;
  readonly sessionName: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The `Policy` of AssumeRole: it can only take away. */
  readonly sessionPolicy: PolicyDocument | undefined;
  /** ARN of the OpenID Connect provider, for a session of AssumeRoleWithWebIdentity. */
  readonly federatedProvider: string | undefined;
}

export type AccessKeyRecord = RootKeyRecord | UserKeyRecord | SessionRecord;

/** Every identity of the account: plain tables, no rules. */
export class Directory {
  readonly users = new Map<string, UserRecord>();
  readonly roles = new Map<string, RoleRecord>();
  /** By ARN. */
  readonly policies = new Map<string, ManagedPolicyRecord>();
  readonly instanceProfiles = new Map<string, InstanceProfileRecord>();
  /** By access key id, long-lived and temporary. */
  readonly accessKeys = new Map<string, AccessKeyRecord>();

  /** Inline and attached documents of a user or role, as they are at this moment. */
  *documentsOf(identity: IdentityRecord): Generator<PolicyDocument> {
    yield* identity.inlinePolicies.values();
    for (const arn of identity.attachedPolicies) {
      const policy = this.policies.get(arn);
      if (policy !== undefined) yield policy.document;
    }
  }

  /** Forgets sessions that expired more than an hour ago; until then they answer "expired". */
  dropExpiredSessions(now: number): void {
    for (const [id, key] of this.accessKeys) {
      if (key.kind === "session" && key.expiresAt + 3_600_000 < now) this.accessKeys.delete(id);
    }
  }
}
