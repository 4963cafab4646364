import { z } from "zod";
import type { AccessKeyRecord, Directory, IdentityRecord } from "./iam/directory.js";
import { parsePolicyDocument } from "./iam/policy-document.js";
import { grantOperations } from "./kms/grant.js";
import { keyStates } from "./kms/key.js";
import { exportMaterial, importMaterial } from "./kms/key-material.js";
import { keySpecs, keyUsages } from "./kms/key-spec.js";
import type { KeyStore } from "./kms/key-store.js";
import { kmsArn, type Place } from "./place.js";

const pairs = z.array(z.tuple([z.string(), z.string()]));
const identity = z.strictObject({
  name: z.string(),
  path: z.string(),
  arn: z.string(),
  id: z.string(),
  account: z.string(),
  createdAt: z.number(),
  tags: pairs,
  inlinePolicies: pairs,
  attachedPolicies: z.array(z.string()),
});
const accessKey = z.strictObject({
  kind: z.enum(["root", "user", "session"]),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  createdAt: z.number(),
  userName: z.string().optional(),
  roleName: z.string().optional(),
  sessionName: z.string().optional(),
  sessionToken: z.string().optional(),
  expiresAt: z.number().optional(),
  sessionPolicy: z.string().optional(),
  federatedProvider: z.string().optional(),
});

const grant = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  token: z.string(),
  name: z.string().optional(),
  grantee: z.string(),
  retiring: z.string().optional(),
  operations: z.array(z.enum(grantOperations)),
  constraint: z.strictObject({ kind: z.enum(["subset", "equals"]), pairs }).optional(),
  createdAt: z.number(),
});

/** Everything an emulator has to remember across a restart, private keys included. */
export const stateSchema = z.strictObject({
  format: z.literal("aws-kms-emulator"),
  version: z.literal(1),
  account: z.string(),
  region: z.string(),
  keys: z.array(
    z.strictObject({
      id: z.string(),
      spec: z.enum(keySpecs),
      usage: z.enum(keyUsages),
      multiRegion: z.boolean(),
      description: z.string(),
      createdAt: z.number(),
      materialId: z.string().regex(/^[0-9a-f]{64}$/),
      material: z.string(),
      tags: pairs,
      grants: z.array(grant).default([]),
      policy: z.string(),
      rotation: z.strictObject({ enabledAt: z.number(), periodDays: z.int() }).optional(),
      state: z.enum(keyStates),
      deleteAt: z.number().optional(),
    }),
  ),
  aliases: z.array(
    z.strictObject({ name: z.string(), targetId: z.string(), createdAt: z.number(), updatedAt: z.number() }),
  ),
  users: z.array(identity),
  roles: z.array(identity.extend({ trust: z.string(), maxSessionSeconds: z.number() })),
  policies: z.array(
    z.strictObject({
      name: z.string(),
      path: z.string(),
      arn: z.string(),
      id: z.string(),
      createdAt: z.number(),
      document: z.string(),
    }),
  ),
  instanceProfiles: z.array(
    z.strictObject({
      name: z.string(),
      path: z.string(),
      arn: z.string(),
      id: z.string(),
      createdAt: z.number(),
      roleName: z.string().optional(),
    }),
  ),
  accessKeys: z.array(accessKey),
});
export type State = z.output<typeof stateSchema>;

function identityState(record: IdentityRecord): z.output<typeof identity> {
  const { name, path, arn, id, account, createdAt } = record;
  return {
    name,
    path,
    arn,
    id,
    account,
    createdAt,
    tags: [...record.tags],
    inlinePolicies: [...record.inlinePolicies].map(([policy, document]) => [policy, document.text]),
    attachedPolicies: [...record.attachedPolicies],
  };
}

function identityRecord(state: z.output<typeof identity>): IdentityRecord {
  return {
    ...state,
    tags: new Map(state.tags),
    inlinePolicies: new Map(state.inlinePolicies.map(([name, text]) => [name, parsePolicyDocument(text, "identity")])),
    attachedPolicies: new Set(state.attachedPolicies),
  };
}

function accessKeyRecord(state: z.output<typeof accessKey>): AccessKeyRecord {
  const { accessKeyId, secretAccessKey, createdAt } = state;
  const longLived = { accessKeyId, secretAccessKey, createdAt, sessionToken: undefined, expiresAt: undefined };
  if (state.kind === "root") return { kind: "root", ...longLived };
  if (state.kind === "user") return { kind: "user", userName: state.userName ?? "", ...longLived };
  return {
    kind: "session",
    accessKeyId,
    secretAccessKey,
    createdAt,
    roleName: state.roleName ?? "",
    sessionName: state.sessionName ?? "",
    sessionToken: state.sessionToken ?? "",
    expiresAt: state.expiresAt ?? 0,
    federatedProvider: state.federatedProvider,
    sessionPolicy: state.sessionPolicy === undefined ? undefined : parsePolicyDocument(state.sessionPolicy, "identity"),
  };
}

export interface StateParts {
  readonly place: Place;
  readonly store: KeyStore;
  readonly directory: Directory;
}

export function snapshot({ place, store, directory }: StateParts): State {
  return {
    format: "aws-kms-emulator",
    version: 1,
    account: place.account,
    region: place.region,
    keys: [...store.keys.values()].map(
      ({ arn: _, account: __, region: ___, visibleAt: ____, rotation, deleteAt, ...key }) => ({
        ...key,
        material: exportMaterial(key.material),
        tags: [...key.tags],
        grants: [...key.grants.values()].map(({ constraint, ...rest }) => ({
          ...rest,
          operations: [...rest.operations],
          constraint: constraint && { kind: constraint.kind, pairs: [...constraint.pairs] },
        })),
        policy: key.policy.text,
        ...(rotation !== undefined && { rotation }),
        ...(deleteAt !== undefined && { deleteAt }),
      }),
    ),
    aliases: [...store.aliases.values()].map(({ name, targetId, createdAt, updatedAt }) => ({
      name,
      targetId,
      createdAt,
      updatedAt,
    })),
    users: [...directory.users.values()].map(identityState),
    roles: [...directory.roles.values()].map((role) => ({
      ...identityState(role),
      trust: role.trust.text,
      maxSessionSeconds: role.maxSessionSeconds,
    })),
    policies: [...directory.policies.values()].map((policy) => ({ ...policy, document: policy.document.text })),
    instanceProfiles: [...directory.instanceProfiles.values()].map(({ roleName, ...profile }) => ({
      ...profile,
      ...(roleName !== undefined && { roleName }),
    })),
    accessKeys: [...directory.accessKeys.values()].map((key) => ({
      ...key,
      sessionToken: key.sessionToken,
      expiresAt: key.expiresAt,
      sessionPolicy: key.kind === "session" ? key.sessionPolicy?.text : undefined,
    })),
  };
}

/** Throws when a key or a policy in it is not one. */
export function restore(state: State, { place, store, directory }: StateParts): void {
  for (const key of state.keys) {
    store.add({
      ...key,
      arn: kmsArn(place, `key/${key.id}`),
      account: place.account,
      region: place.region,
      visibleAt: key.createdAt,
      material: importMaterial(key.spec, key.material, "material"),
      tags: new Map(key.tags),
      grants: new Map(
        key.grants.map(({ constraint, name, retiring, ...rest }) => [
          rest.id,
          { ...rest, name, retiring, constraint: constraint && { ...constraint, pairs: new Map(constraint.pairs) } },
        ]),
      ),
      policy: parsePolicyDocument(key.policy, "key"),
      rotation: key.rotation,
      deleteAt: key.deleteAt,
    });
  }
  for (const alias of state.aliases) {
    store.addAlias({ ...alias, arn: kmsArn(place, alias.name), visibleAt: alias.createdAt, previous: undefined });
  }
  for (const user of state.users) directory.users.set(user.name, { ...identityRecord(user), kind: "user" });
  for (const { trust, maxSessionSeconds, ...role } of state.roles) {
    const record = {
      ...identityRecord(role),
      kind: "role",
      trust: parsePolicyDocument(trust, "trust"),
      maxSessionSeconds,
    } as const;
    directory.roles.set(role.name, record);
  }
  for (const policy of state.policies) {
    directory.policies.set(policy.arn, { ...policy, document: parsePolicyDocument(policy.document, "identity") });
  }
  for (const profile of state.instanceProfiles) {
    directory.instanceProfiles.set(profile.name, { ...profile, roleName: profile.roleName });
  }
  for (const key of state.accessKeys) directory.accessKeys.set(key.accessKeyId, accessKeyRecord(key));
}
