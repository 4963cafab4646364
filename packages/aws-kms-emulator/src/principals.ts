import type { Clock } from "./clock.js";
import { EmulatorError } from "./errors.js";
import { newSession, newUserKey } from "./iam/credentials.js";
import type { Directory, IdentityRecord, RoleRecord, UserRecord } from "./iam/directory.js";
import { type PolicyDocument, type PolicyInput, parsePolicyDocument } from "./iam/policy-document.js";
import { checkPrincipals } from "./iam/principal.js";
import { checkMembers, type Members } from "./option-members.js";
import { iamArn, type Place } from "./place.js";
import { type RandomSource, uniqueId } from "./random.js";

export interface UserOptions {
  readonly name: string;
  /** Identity policies: documents as text or value. */
  readonly policies?: readonly PolicyInput[];
  readonly tags?: Readonly<Record<string, string>>;
  /** Starts and ends with `/`. Default `/`. */
  readonly path?: string;
  /** 12 digits; an account of its own makes the user a caller from outside. Default: the emulator's. */
  readonly account?: string;
  /** Given instead of random ones, e.g. to match a configuration file. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

export interface RoleOptions {
  readonly name: string;
  readonly policies?: readonly PolicyInput[];
  /** Who may assume it. Default: the account. */
  readonly trust?: PolicyInput;
  readonly tags?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly account?: string;
  /** 3,600 to 43,200. Default 3,600. */
  readonly maxSessionSeconds?: number;
}

const userMembers: Members<UserOptions> = {
  name: true,
  policies: true,
  tags: true,
  path: true,
  account: true,
  accessKeyId: true,
  secretAccessKey: true,
};
const roleMembers: Members<RoleOptions> = {
  name: true,
  policies: true,
  trust: true,
  tags: true,
  path: true,
  account: true,
  maxSessionSeconds: true,
};

export interface UserIdentity {
  readonly name: string;
  readonly arn: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface RoleIdentity {
  readonly name: string;
  readonly arn: string;
}

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** Users and roles of the account, changed at once and without any permission: the hand of the test, not a caller. */
export class Principals {
  readonly #directory: Directory;
  readonly #place: Place;
  readonly #random: RandomSource;
  readonly #clock: Clock;
  readonly #changed: () => void;

  constructor(parts: { directory: Directory; place: Place; random: RandomSource; clock: Clock; changed: () => void }) {
    this.#directory = parts.directory;
    this.#place = parts.place;
    this.#random = parts.random;
    this.#clock = parts.clock;
    this.#changed = parts.changed;
  }

  /**
   * Makes a user with its policies and an access key.
   *
   * @throws {@link EmulatorError} `ALREADY_EXISTS`, `POLICY_MALFORMED`, `OPTION_INVALID`.
   */
  createUser(options: UserOptions): UserIdentity {
    checkMembers(options, userMembers);
    const { users, accessKeys } = this.#directory;
    const identity = this.#identity(options, "user", users);
    const key = newUserKey(this.#random, identity.name, this.#clock.now(), options);
    if (accessKeys.has(key.accessKeyId)) {
      throw new EmulatorError("ALREADY_EXISTS", `access key ${key.accessKeyId} exists already`, {
        name: key.accessKeyId,
      });
    }
    users.set(identity.name, { ...identity, kind: "user" });
    accessKeys.set(key.accessKeyId, key);
    this.#changed();
    return {
      name: identity.name,
      arn: identity.arn,
      accessKeyId: key.accessKeyId,
      secretAccessKey: key.secretAccessKey,
    };
  }

  /**
   * Makes a role with its policies.
   *
   * @throws {@link EmulatorError} `ALREADY_EXISTS`, `POLICY_MALFORMED`, `OPTION_INVALID`.
   */
  createRole(options: RoleOptions): RoleIdentity {
    checkMembers(options, roleMembers);
    const identity = this.#identity(options, "role", this.#directory.roles);
    const trust = options.trust ?? {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { AWS: iamArn(this.#place, "root", identity.account) },
          Action: "sts:AssumeRole",
        },
      ],
    };
    const maxSessionSeconds = options.maxSessionSeconds ?? 3600;
    if (!Number.isInteger(maxSessionSeconds) || maxSessionSeconds < 3600 || maxSessionSeconds > 43_200) {
      throw new EmulatorError(
        "OPTION_INVALID",
        `maxSessionSeconds: must be 3600 to 43200, found ${maxSessionSeconds}`,
        { path: "maxSessionSeconds" },
      );
    }
    this.#directory.roles.set(identity.name, {
      ...identity,
      kind: "role",
      trust: checkPrincipals(parsePolicyDocument(trust, "trust"), this.#place),
      maxSessionSeconds,
    });
    this.#changed();
    return { name: identity.name, arn: identity.arn };
  }

  /**
   * Makes an instance profile that holds a role.
   *
   * @throws {@link EmulatorError} `ALREADY_EXISTS`, `NOT_FOUND`.
   */
  createInstanceProfile(name: string, roleName: string): void {
    const { instanceProfiles, roles } = this.#directory;
    if (instanceProfiles.has(name))
      throw new EmulatorError("ALREADY_EXISTS", `instance profile ${name} exists already`, { name });
    if (!roles.has(roleName)) throw new EmulatorError("NOT_FOUND", `no role ${roleName}`, { name: roleName });
    const arn = iamArn(this.#place, `instance-profile/${name}`);
    const id = uniqueId(this.#random, "AIPA");
    instanceProfiles.set(name, { name, path: "/", arn, id, createdAt: this.#clock.now(), roleName });
    this.#changed();
  }

  /**
   * Replaces the identity policies of a user or role, attached ones included. The next call is decided by the new ones.
   *
   * @param nameOrArn - A name that a user and a role share must be given as ARN.
   * @throws {@link EmulatorError} `NOT_FOUND`, `POLICY_MALFORMED`.
   */
  setPolicies(nameOrArn: string, policies: readonly PolicyInput[]): void {
    const parsed = parsePolicies(policies);
    const identity = this.#find(nameOrArn);
    identity.inlinePolicies.clear();
    identity.attachedPolicies.clear();
    for (const [name, document] of parsed) identity.inlinePolicies.set(name, document);
    this.#changed();
  }

  /** Hands out session credentials of a role, without asking its trust policy. Lifetime: 3,600 seconds unless given. */
  issueSession(
    roleName: string,
    options: { readonly sessionName?: string; readonly seconds?: number } = {},
  ): SessionCredentials {
    checkMembers(options, { sessionName: true, seconds: true });
    const role = this.#directory.roles.get(roleName);
    if (role === undefined) throw new EmulatorError("NOT_FOUND", `no role ${roleName}`, { name: roleName });
    const session = newSession(this.#random, this.#clock.now(), {
      roleName,
      sessionName: options.sessionName ?? "session",
      seconds: options.seconds ?? 3600,
    });
    this.#directory.accessKeys.set(session.accessKeyId, session);
    this.#changed();
    const { accessKeyId, secretAccessKey, sessionToken } = session;
    return { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(session.expiresAt) };
  }

  #find(nameOrArn: string): UserRecord | RoleRecord {
    const { users, roles } = this.#directory;
    const found = [...users.values(), ...roles.values()].filter(
      (one) => one.arn === nameOrArn || one.name === nameOrArn,
    );
    const [identity] = found;
    if (identity === undefined || found.length > 1) {
      const why = found.length > 1 ? "is both a user and a role; give the ARN" : "is no user and no role";
      throw new EmulatorError("NOT_FOUND", `${nameOrArn} ${why}`, { name: nameOrArn });
    }
    return identity;
  }

  #identity(
    options: UserOptions | RoleOptions,
    kind: "user" | "role",
    taken: ReadonlyMap<string, unknown>,
  ): IdentityRecord {
    const { name, path = "/", account = this.#place.account } = options;
    if (!/^[\w+=,.@-]{1,64}$/.test(name)) {
      throw new EmulatorError(
        "OPTION_INVALID",
        `name: must be 1 to 64 of A-Z a-z 0-9 _+=,.@-, found ${JSON.stringify(name)}`,
        { path: "name" },
      );
    }
    if (!/^\/(?:[\x21-\x7e]+\/)*$/.test(path)) {
      throw new EmulatorError("OPTION_INVALID", `path: must start and end with /, found ${JSON.stringify(path)}`, {
        path: "path",
      });
    }
    if (!/^\d{12}$/.test(account)) {
      throw new EmulatorError("OPTION_INVALID", `account: must be 12 digits, found ${JSON.stringify(account)}`, {
        path: "account",
      });
    }
    if (taken.has(name)) throw new EmulatorError("ALREADY_EXISTS", `${kind} ${name} exists already`, { name });
    return {
      name,
      path,
      account,
      arn: iamArn(this.#place, `${kind}${path}${name}`, account),
      id: uniqueId(this.#random, kind === "user" ? "AIDA" : "AROA"),
      createdAt: this.#clock.now(),
      tags: new Map(Object.entries(options.tags ?? {})),
      inlinePolicies: parsePolicies(options.policies ?? []),
      attachedPolicies: new Set(),
    };
  }
}

function parsePolicies(policies: readonly PolicyInput[]): Map<string, PolicyDocument> {
  return new Map(policies.map((policy, i) => [`policy-${i + 1}`, parsePolicyDocument(policy, "identity")]));
}
