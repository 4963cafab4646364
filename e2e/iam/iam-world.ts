import type { KeySpec, KmsEmulator } from "@basil/aws-kms-emulator";
import { keyReference, listAwsKmsKeys } from "@basil/backend-aws-kms";
import { type KeyEntry, parseCatalog } from "@basil/catalog";
import { keyRef } from "@basil/core";
import { parsePolicy } from "@basil/policy";
import fc from "fast-check";
import { arnsOf } from "../../packages/cli/src/iam/key-arns.ts";

const SPECS = {
  ed25519: "ECC_NIST_EDWARDS25519",
  "ecdsa-p256": "ECC_NIST_P256",
  "ecdsa-p384": "ECC_NIST_P384",
  "ecdsa-p521": "ECC_NIST_P521",
  "aes-256-gcm": "SYMMETRIC_DEFAULT",
} as const satisfies Record<string, KeySpec>;
type KeyType = keyof typeof SPECS;

/** Which IAM actions an operation of Basil causes: the table of the page, not the code's. */
export const NEEDS = {
  sign: ["kms:Sign"],
  verify: ["kms:Verify"],
  get_public_key: ["kms:GetPublicKey"],
  encrypt: ["kms:Encrypt"],
  decrypt: ["kms:Decrypt"],
  mint: ["kms:Sign", "kms:GetPublicKey"],
} as const;
export type Operation = keyof typeof NEEDS;
const OPERATIONS = Object.keys(NEEDS) as Operation[];
const ON_CIPHERS: readonly string[] = ["encrypt", "decrypt"];

export interface World {
  readonly types: readonly KeyType[];
  readonly paths: readonly ("alias" | "other alias" | "logical" | "arn" | "id")[];
  /** How often the key of that number was rotated; one that AWS named never is. */
  readonly rotations: readonly number[];
  /** Whether one more version is made that the alias has not moved to. */
  readonly prepared: readonly boolean[];
  readonly graceVersions: number | undefined;
  /** By rule: operations, and keys by number. */
  readonly rules: readonly { readonly ops: readonly Operation[]; readonly keys: readonly number[] }[];
}

export const world = (forms: readonly World["paths"][number][], mostRotations = 0): fc.Arbitrary<World> => {
  const three = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 3, maxLength: 3 });
  return fc.record({
    types: fc.array(fc.constantFrom(...(Object.keys(SPECS) as KeyType[])), { minLength: 1, maxLength: 3 }),
    paths: three(fc.constantFrom(...forms)),
    rotations: three(fc.nat(mostRotations)),
    prepared: three(mostRotations === 0 ? fc.constant(false) : fc.boolean()),
    graceVersions: fc.option(fc.nat(3), { nil: undefined }),
    rules: fc.array(
      fc.record({ ops: fc.subarray(OPERATIONS, { minLength: 1 }), keys: fc.subarray([0, 1, 2], { minLength: 1 }) }),
      { maxLength: 3 },
    ),
  });
};

export interface BuiltKey {
  readonly entry: KeyEntry;
  /** By version, the first at 0; none when no key was made. */
  readonly arns: readonly string[];
  /** The version that the alias leads to. */
  readonly current: number;
}

let run = 0;

/** The keys of a world, a catalog of them, a policy, and a user of AWS who may do nothing yet. */
export async function build(
  emulator: KmsEmulator,
  { types, paths, rotations, prepared, rules }: World,
  { present = true } = {},
) {
  run += 1;
  const entries: [string, object][] = [];
  const made: Omit<BuiltKey, "entry">[] = [];
  for (const [at, keyType] of types.entries()) {
    const name = `k${run}.n${at}`;
    const form = paths[at] ?? "alias";
    const alias = {
      alias: `alias/basil/${run}/n${at}`,
      "other alias": `alias/team/${run}/n${at}`,
      logical: name,
      arn: undefined,
      id: undefined,
    }[form];
    const current = 1 + (alias === undefined ? 0 : (rotations[at] ?? 0));
    const last = current + (alias !== undefined && prepared[at] === true ? 1 : 0);
    const arns: string[] = [];
    for (let version = 1; version <= last && present; version += 1) {
      const reference = alias === undefined ? undefined : keyReference(alias).keyId;
      const own = last === 1 || reference === undefined ? [] : [`${reference}/v${version}`];
      const main = version === current && reference !== undefined ? [reference] : [];
      arns.push((await emulator.keys.create({ spec: SPECS[keyType], aliases: [...own, ...main] })).arn);
    }
    made.push({ arns, current });
    const path = form === "arn" ? arns[0] : form === "id" ? arns[0]?.split("/")[1] : alias;
    const shared = { keyType, backend: "kms", engine: "transit", path, writable: true, missing: "error" };
    const keyClass = keyType === "aes-256-gcm" ? "symmetric" : "asymmetric";
    entries.push([name, { class: keyClass, ...shared, description: name }]);
  }
  const catalog = parseCatalog(
    JSON.stringify({
      schemaVersion: 1,
      backends: {
        kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"], mintKeyTypes: Object.keys(SPECS) },
      },
      keys: Object.fromEntries(entries),
    }),
  );
  const policy = parsePolicy(
    JSON.stringify({
      schemaVersion: 2,
      subjects: { me: { allOf: [{ kind: "unix", uid: 1000 }] } },
      rules: rules.map(({ ops, keys }, at) => ({
        id: `r${at}`,
        subjects: ["me"],
        action: ops.map((op) => `op:${op}`),
        target: keys.map((key) => `k${run}.n${key}`),
      })),
    }),
  );
  const user = emulator.principals.createUser({ name: `u${run}` });
  const options = { id: "kms", region: "us-east-1", endpoint: emulator.endpoint, credentials: user };
  const entriesRead = [...catalog.keys.values()];
  return {
    run,
    catalog,
    policy,
    user,
    use: (document: object) => emulator.principals.setPolicies(user.name, [JSON.stringify(document)]),
    options,
    rootOptions: { ...options, credentials: emulator.rootCredentials },
    keys: entriesRead.map((entry, at): BuiltKey => ({ entry, ...(made[at] ?? { arns: [], current: 1 }) })),
  };
}

export type Built = Awaited<ReturnType<typeof build>>;

/** The ARNs of all versions, as `basil iam` finds them out. */
export async function arnsOfAll({ keys, rootOptions }: Built) {
  const context = { signal: new AbortController().signal, requestId: "test" };
  const refs = keys.map(({ entry }) => keyRef(entry));
  const listing = await listAwsKmsKeys(rootOptions, refs, context, { allAliases: false });
  return keys.map(({ entry }, at) => arnsOf(entry, listing.keys[at]));
}

/** What some rule grants of what the key's class can do. */
export function granted({ types, rules }: World, at: number): Operation[] {
  return OPERATIONS.filter(
    (op) =>
      ON_CIPHERS.includes(op) === (types[at] === "aes-256-gcm") &&
      rules.some(({ ops, keys }) => ops.includes(op) && keys.includes(at)),
  );
}

/** The IAM actions that these operations need of one version of a key; what the page says, not what the code does. */
export function neededOn(ops: readonly Operation[], version: number, current: number, grace = 1): Set<string> {
  const used = ops.filter((op) => {
    if (version === current) return true;
    if (op === "verify") return version < current && current - version <= grace;
    return op === "get_public_key" || op === "decrypt";
  });
  return new Set(["kms:DescribeKey", ...used.flatMap((op) => NEEDS[op])]);
}
