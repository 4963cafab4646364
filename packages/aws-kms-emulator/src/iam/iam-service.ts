import { isEmulatorError } from "../errors.js";
import { iamArn, type Place } from "../place.js";
import { type QueryParameters, queryInput } from "../query/query-protocol.js";
import type { XmlValue } from "../query/xml.js";
import { type RandomSource, uniqueId } from "../random.js";
import { Refusal } from "../refusal.js";
import type { Input, InputShape } from "../shape.js";
import { newUserKey } from "./credentials.js";
import type { Directory, IdentityRecord } from "./directory.js";
import { type PolicyDocument, type PolicyKind, parsePolicyDocument } from "./policy-document.js";
import { invalidPrincipal } from "./principal.js";
import {
  deleteInstanceProfile,
  deleteRole,
  deleteRolePolicy,
  getRolePolicy,
  putRolePolicy,
  removeRoleFromInstanceProfile,
} from "./role-policies.js";

const name = (max: number) => ({ type: "string", min: 1, max, pattern: "^[\\w+=,.@-]+$", required: true }) as const;
const path = { type: "string", min: 1, max: 512, pattern: "^(/|/[\\x21-\\x7e]+/)$" } as const;
const document = { type: "string", min: 1, max: 131_072, required: true } as const;
const arn = { type: "string", min: 20, max: 2048, required: true } as const;
const text = { type: "string", max: 1000 } as const;

/** Parameters of the IAM actions that are built (IAM API reference). */
const shapes = {
  CreatePolicy: { PolicyName: name(128), PolicyDocument: document, Path: path, Description: text },
  CreateRole: {
    RoleName: name(64),
    AssumeRolePolicyDocument: document,
    Path: path,
    Description: text,
    MaxSessionDuration: { type: "integer", min: 3600, max: 43_200 },
  },
  AttachRolePolicy: { RoleName: name(64), PolicyArn: arn },
  CreateInstanceProfile: { InstanceProfileName: name(128), Path: path },
  AddRoleToInstanceProfile: { InstanceProfileName: name(128), RoleName: name(64) },
  PutRolePolicy: { RoleName: name(64), PolicyName: name(128), PolicyDocument: document },
  GetRolePolicy: { RoleName: name(64), PolicyName: name(128) },
  DeleteRolePolicy: { RoleName: name(64), PolicyName: name(128) },
  DeleteRole: { RoleName: name(64) },
  RemoveRoleFromInstanceProfile: { InstanceProfileName: name(128), RoleName: name(64) },
  DeleteInstanceProfile: { InstanceProfileName: name(128) },
  CreateUser: { UserName: name(64), Path: path },
  AttachUserPolicy: { UserName: name(64), PolicyArn: arn },
  CreateAccessKey: { UserName: name(128) },
} as const satisfies Record<string, InputShape>;

export type IamAction = keyof typeof shapes;

export interface IamCall {
  readonly directory: Directory;
  readonly place: Place;
  readonly random: RandomSource;
  readonly now: number;
  /** Throws when the caller may not do this. */
  readonly authorize: (action: string, resource: string) => void;
}

function exists(message: string): Refusal {
  return new Refusal("EntityAlreadyExists", message, 409);
}

function missing(message: string): Refusal {
  return new Refusal("NoSuchEntity", message, 404);
}

function parse(given: string, kind: PolicyKind): PolicyDocument {
  try {
    return parsePolicyDocument(given, kind);
  } catch (error) {
    if (isEmulatorError(error)) throw new Refusal("MalformedPolicyDocument", error.message);
    throw error;
  }
}

const isoDate = (time: number) => new Date(time).toISOString().replace(/\.\d{3}Z$/, "Z");

function identity(call: IamCall, kind: "user" | "role", given: { name: string; path: string }): IdentityRecord {
  return {
    name: given.name,
    path: given.path,
    arn: iamArn(call.place, `${kind}${given.path}${given.name}`),
    id: uniqueId(call.random, kind === "user" ? "AIDA" : "AROA"),
    account: call.place.account,
    createdAt: call.now,
    tags: new Map(),
    inlinePolicies: new Map(),
    attachedPolicies: new Set(),
  };
}

function attach(call: IamCall, to: IdentityRecord, policyArn: string): undefined {
  if (!call.directory.policies.has(policyArn)) {
    throw missing(`Policy ${policyArn} does not exist or is not attachable.`);
  }
  to.attachedPolicies.add(policyArn);
}

type Actions = { readonly [A in IamAction]: (input: Input<(typeof shapes)[A]>, call: IamCall) => XmlValue };

const actions: Actions = {
  CreatePolicy(input, call) {
    const { directory, place, random, now } = call;
    const path = input.Path ?? "/";
    const arn = iamArn(place, `policy${path}${input.PolicyName}`);
    call.authorize("iam:CreatePolicy", arn);
    const document = parse(input.PolicyDocument, "identity");
    if ([...directory.policies.values()].some((policy) => policy.name === input.PolicyName)) {
      throw exists(`A policy called ${input.PolicyName} already exists. Duplicate names are not allowed.`);
    }
    const id = uniqueId(random, "ANPA");
    directory.policies.set(arn, { name: input.PolicyName, path, arn, id, createdAt: now, document });
    return {
      Policy: {
        PolicyName: input.PolicyName,
        PolicyId: id,
        Arn: arn,
        Path: path,
        DefaultVersionId: "v1",
        AttachmentCount: 0,
        PermissionsBoundaryUsageCount: 0,
        IsAttachable: true,
        CreateDate: isoDate(now),
        UpdateDate: isoDate(now),
      },
    };
  },
  CreateRole(input, call) {
    const role = identity(call, "role", { name: input.RoleName, path: input.Path ?? "/" });
    call.authorize("iam:CreateRole", role.arn);
    const trust = parse(input.AssumeRolePolicyDocument, "trust");
    const invalid = invalidPrincipal(trust, call.place, call.directory);
    if (invalid !== undefined) {
      const { kind, name } = invalid;
      throw new Refusal("MalformedPolicyDocument", `Invalid principal in policy: "${kind.toUpperCase()}":"${name}"`);
    }
    if (call.directory.roles.has(role.name)) throw exists(`Role with name ${role.name} already exists.`);
    call.directory.roles.set(role.name, {
      ...role,
      kind: "role",
      trust,
      maxSessionSeconds: input.MaxSessionDuration ?? 3600,
    });
    return {
      Role: {
        Path: role.path,
        RoleName: role.name,
        RoleId: role.id,
        Arn: role.arn,
        CreateDate: isoDate(call.now),
        AssumeRolePolicyDocument: encodeURIComponent(trust.text),
      },
    };
  },
  AttachRolePolicy(input, call) {
    const role = call.directory.roles.get(input.RoleName);
    call.authorize("iam:AttachRolePolicy", role?.arn ?? iamArn(call.place, `role/${input.RoleName}`));
    if (role === undefined) throw missing(`The role with name ${input.RoleName} cannot be found.`);
    return attach(call, role, input.PolicyArn);
  },
  CreateInstanceProfile(input, call) {
    const { directory, place, random, now } = call;
    const { InstanceProfileName: name, Path: path = "/" } = input;
    const arn = iamArn(place, `instance-profile${path}${name}`);
    call.authorize("iam:CreateInstanceProfile", arn);
    if (directory.instanceProfiles.has(name)) throw exists(`Instance Profile ${name} already exists.`);
    const id = uniqueId(random, "AIPA");
    directory.instanceProfiles.set(name, { name, path, arn, id, createdAt: now, roleName: undefined });
    return {
      InstanceProfile: {
        Path: path,
        InstanceProfileName: name,
        InstanceProfileId: id,
        Arn: arn,
        CreateDate: isoDate(now),
        Roles: [],
      },
    };
  },
  AddRoleToInstanceProfile(input, call) {
    const profile = call.directory.instanceProfiles.get(input.InstanceProfileName);
    call.authorize(
      "iam:AddRoleToInstanceProfile",
      profile?.arn ?? iamArn(call.place, `instance-profile/${input.InstanceProfileName}`),
    );
    if (profile === undefined) throw missing(`Instance Profile ${input.InstanceProfileName} cannot be found.`);
    const role = call.directory.roles.get(input.RoleName);
    if (role === undefined) throw missing(`The role with name ${input.RoleName} cannot be found.`);
    call.authorize("iam:PassRole", role.arn);
    if (profile.roleName !== undefined) {
      throw new Refusal("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", 409);
    }
    profile.roleName = role.name;
    return undefined;
  },
  PutRolePolicy: (input, call) => putRolePolicy(input, () => parse(input.PolicyDocument, "identity"), call),
  GetRolePolicy: getRolePolicy,
  DeleteRolePolicy: deleteRolePolicy,
  DeleteRole: deleteRole,
  RemoveRoleFromInstanceProfile: removeRoleFromInstanceProfile,
  DeleteInstanceProfile: deleteInstanceProfile,
  CreateUser(input, call) {
    const user = identity(call, "user", { name: input.UserName, path: input.Path ?? "/" });
    call.authorize("iam:CreateUser", user.arn);
    if (call.directory.users.has(user.name)) throw exists(`User with name ${user.name} already exists.`);
    call.directory.users.set(user.name, { ...user, kind: "user" });
    return {
      User: { Path: user.path, UserName: user.name, UserId: user.id, Arn: user.arn, CreateDate: isoDate(call.now) },
    };
  },
  AttachUserPolicy(input, call) {
    const user = call.directory.users.get(input.UserName);
    call.authorize("iam:AttachUserPolicy", user?.arn ?? iamArn(call.place, `user/${input.UserName}`));
    if (user === undefined) throw missing(`The user with name ${input.UserName} cannot be found.`);
    return attach(call, user, input.PolicyArn);
  },
  CreateAccessKey(input, call) {
    const { directory, random, now } = call;
    const user = directory.users.get(input.UserName);
    call.authorize("iam:CreateAccessKey", user?.arn ?? iamArn(call.place, `user/${input.UserName}`));
    if (user === undefined) throw missing(`The user with name ${input.UserName} cannot be found.`);
    const keys = [...directory.accessKeys.values()].filter((key) => key.kind === "user" && key.userName === user.name);
    if (keys.length >= 2) throw new Refusal("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409);
    const key = newUserKey(random, user.name, now);
    directory.accessKeys.set(key.accessKeyId, key);
    return {
      AccessKey: {
        UserName: user.name,
        AccessKeyId: key.accessKeyId,
        Status: "Active",
        SecretAccessKey: key.secretAccessKey,
        CreateDate: isoDate(now),
      },
    };
  },
};

export function isIamAction(action: string): action is IamAction {
  return Object.hasOwn(actions, action);
}

export function runIamAction<A extends IamAction>(action: A, parameters: QueryParameters, call: IamCall): XmlValue {
  return actions[action](queryInput<(typeof shapes)[A]>(parameters, shapes[action]), call);
}
