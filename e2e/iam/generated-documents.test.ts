import { type KeySpec, type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKms, awsKmsPermissions, awsKmsRotator, keyReference } from "@basil/backend-aws-kms";
import { type KeyEntry, parseCatalog } from "@basil/catalog";
import { isBackendError, keyRef, type TransitEngine } from "@basil/core";
import { parsePolicy } from "@basil/policy";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { provisionerPolicy, rotatorPolicy } from "../../packages/cli/src/iam/provisioning-policies.ts";
import { leastRuntimePolicy, runtimePolicyByAlias } from "../../packages/cli/src/iam/runtime-policy.ts";
import { DECIDABLE, DECIDABLE_BY_ALIAS, kmsDecision } from "./kms-decision.ts";

const SPECS = {
  ed25519: "ECC_NIST_EDWARDS25519",
  "ecdsa-p256": "ECC_NIST_P256",
  "ecdsa-p384": "ECC_NIST_P384",
  "ecdsa-p521": "ECC_NIST_P521",
  "aes-256-gcm": "SYMMETRIC_DEFAULT",
} as const satisfies Record<string, KeySpec>;
type KeyType = keyof typeof SPECS;

const PLACE = { partition: "aws", region: "us-east-1", account: "111122223333" };
const RUNTIME = awsKmsPermissions.runtime.map(({ action }) => action as string);
/** Which IAM actions an operation of Basil causes: the table of the page, not the code's. */
const NEEDS = {
  sign: ["kms:Sign"],
  verify: ["kms:Verify"],
  get_public_key: ["kms:GetPublicKey"],
  encrypt: ["kms:Encrypt"],
  decrypt: ["kms:Decrypt"],
} as const;
type Operation = keyof typeof NEEDS;
const OPERATIONS = Object.keys(NEEDS) as Operation[];
const ON_CIPHERS: readonly string[] = ["encrypt", "decrypt"];

interface World {
  readonly types: readonly KeyType[];
  readonly paths: readonly ("alias" | "other alias" | "logical" | "arn" | "id")[];
  /** By rule: operations, and keys by number. */
  readonly rules: readonly { readonly ops: readonly Operation[]; readonly keys: readonly number[] }[];
}

const world = (forms: readonly World["paths"][number][]) =>
  fc
    .record({
      types: fc.array(fc.constantFrom(...(Object.keys(SPECS) as KeyType[])), { minLength: 1, maxLength: 3 }),
      paths: fc.array(fc.constantFrom(...forms), { minLength: 3, maxLength: 3 }),
      rules: fc.array(
        fc.record({
          ops: fc.subarray(OPERATIONS, { minLength: 1 }),
          keys: fc.subarray([0, 1, 2], { minLength: 1 }),
        }),
        { maxLength: 3 },
      ),
    })
    .map((made): World => made);

const utf8 = (text: string) => new TextEncoder().encode(text);
const message = utf8("a message");
let run = 0;
let emulator: KmsEmulator;

beforeAll(async () => {
  emulator = await startKmsEmulator();
});
beforeEach(() => emulator.clearCalls());
afterAll(() => emulator.close());

/** The keys of a world, a catalog of them, and a key that is in nobody's catalog. */
async function build({ types, paths, rules }: World, { present = true } = {}) {
  run += 1;
  const entries: [string, object][] = [];
  const arns: string[] = [];
  for (const [at, keyType] of types.entries()) {
    const name = `k${run}.n${at}`;
    const form = paths[at] ?? "alias";
    const alias = {
      alias: `alias/basil/${run}/n${at}`,
      "other alias": `alias/team/${run}/n${at}`,
      logical: name,
      arn: "",
      id: "",
    }[form];
    const reference = alias === "" ? undefined : keyReference(alias).keyId;
    const key = present
      ? await emulator.keys.create({ spec: SPECS[keyType], ...(reference !== undefined && { aliases: [reference] }) })
      : undefined;
    arns.push(key?.arn ?? "");
    const path = form === "arn" ? key?.arn : form === "id" ? key?.id : alias;
    const symmetric = keyType === "aes-256-gcm";
    const shared = {
      keyType,
      backend: "kms",
      engine: "transit",
      path,
      writable: true,
      missing: "error",
      description: name,
    };
    entries.push([name, { class: symmetric ? "symmetric" : "asymmetric", ...shared }]);
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
  const use = (document: object) => emulator.principals.setPolicies(user.name, [JSON.stringify(document)]);
  const options = { id: "kms", region: "us-east-1", endpoint: emulator.endpoint, credentials: user };
  return { catalog, policy, arns, user, use, options, keys: [...catalog.keys.values()] };
}

/** What a rule grants and the key's class can do. */
function granted({ types, rules }: World, at: number): Operation[] {
  return OPERATIONS.filter(
    (op) =>
      ON_CIPHERS.includes(op) === (types[at] === "aes-256-gcm") &&
      rules.some(({ ops, keys }) => ops.includes(op) && keys.includes(at)),
  );
}

/** Every operation of Basil on a key, as the identity of the document; the inputs were made by somebody who may. */
async function outcomes(transit: TransitEngine, entry: KeyEntry, rootTransit: TransitEngine) {
  const key = keyRef(entry);
  const context = { signal: new AbortController().signal, requestId: "test" };
  const symmetric = entry.class === "symmetric";
  const made = symmetric
    ? { envelope: (await rootTransit.encrypt(key, message, undefined, context)).envelope }
    : { signature: (await rootTransit.sign(key, message, context)).signature };
  const calls: Partial<Record<Operation, () => Promise<unknown>>> = made.envelope
    ? {
        encrypt: () => transit.encrypt(key, message, undefined, context),
        decrypt: () => transit.decrypt(key, made.envelope, undefined, context),
      }
    : {
        sign: () => transit.sign(key, message, context),
        verify: () => transit.verify(key, message, made.signature ?? message, context),
        get_public_key: () => transit.publicKey(key, context),
      };
  const done: Operation[] = [];
  for (const [op, call] of Object.entries(calls) as [Operation, () => Promise<unknown>][]) {
    const denied = await call().then(
      () => false,
      (error: unknown) => isBackendError(error) && error.code === "ACCESS_DENIED",
    );
    if (!denied) done.push(op);
  }
  return done;
}

function rootOptions(options: object) {
  return { ...options, credentials: emulator.rootCredentials };
}

/** Decisions on a key that differ from `allowed`, of all that can be asked for. */
async function otherThan(
  allowed: ReadonlySet<string>,
  user: Parameters<typeof kmsDecision>[1],
  key: string,
  asked = DECIDABLE,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const action of asked) {
    const decision = await kmsDecision(emulator, user, action, key);
    if ((decision === "allow") !== allowed.has(action)) wrong.push(`${action}: ${decision}`);
  }
  return wrong;
}

describe("basil iam policy", { timeout: 60_000 }, () => {
  it("of the --policy form lets every granted operation through, and nothing else", () =>
    fc.assert(
      fc.asyncProperty(world(["alias", "other alias", "logical", "arn", "id"]), async (made) => {
        const { catalog, policy, arns, user, use, options, keys } = await build(made);
        const pairs = keys.map((key, at) => ({ key, arn: arns[at] ?? "" }));
        use(await leastRuntimePolicy(RUNTIME, pairs, catalog, policy));
        await using backend = awsKms(options);
        await using root = awsKms(rootOptions(options));
        if (!backend.transit || !root.transit) throw new Error("no transit engine");
        const other = await emulator.keys.create({ spec: "ECC_NIST_P256" });
        for (const [at, entry] of keys.entries()) {
          const ops = granted(made, at);
          expect((await outcomes(backend.transit, entry, root.transit)).sort()).toEqual([...ops].sort());
          const actions = new Set<string>(["kms:DescribeKey", ...ops.flatMap((op) => NEEDS[op])]);
          expect(await otherThan(actions, user, arns[at] ?? "")).toEqual([]);
        }
        expect(await otherThan(new Set(), user, other.arn)).toEqual([]);
      }),
      { numRuns: 30 },
    ));

  it("--style request-alias lets the six actions through by the catalog's aliases, and nothing by ARN or another alias", () =>
    fc.assert(
      fc.asyncProperty(world(["alias", "other alias", "logical"]), async (made) => {
        const { arns, user, use, keys } = await build(made);
        use(runtimePolicyByAlias(RUNTIME, keys, PLACE));
        emulator.keys.setAlias(`alias/elsewhere/${run}`, arns[0]?.split("/")[1] ?? "");
        for (const [at, { path }] of keys.entries()) {
          expect(await otherThan(new Set(RUNTIME), user, keyReference(path).keyId, DECIDABLE_BY_ALIAS)).toEqual([]);
          expect(await otherThan(new Set(), user, arns[at] ?? "")).toEqual([]);
        }
        expect(await otherThan(new Set(), user, `alias/elsewhere/${run}`, DECIDABLE_BY_ALIAS)).toEqual([]);
      }),
      { numRuns: 20 },
    ));

  it("of the provisioner lets it create every key of the catalog, and use none", () =>
    fc.assert(
      fc.asyncProperty(world(["alias", "other alias", "logical"]), async (made) => {
        const { user, use, options, keys } = await build(made, { present: false });
        use(provisionerPolicy(keys, PLACE));
        await using backend = awsKms(options);
        const context = { signal: new AbortController().signal, requestId: "test" };
        for (const entry of keys) {
          const { resource } = (await backend.transit?.createKey(keyRef(entry), context)) ?? { resource: "" };
          const allowed = new Set(["kms:DescribeKey", "kms:GetPublicKey", "kms:CreateKey"]);
          expect(await otherThan(allowed, user, resource)).toEqual([]);
        }
        expect(await aliasDecisions(user, `alias/foreign/${run}`)).toEqual(["deny", "deny", "deny"]);
      }),
      { numRuns: 12 },
    ));

  it("of the rotator lets it rotate every key of the catalog, and touch no other alias", () =>
    fc.assert(
      fc.asyncProperty(world(["alias", "other alias", "logical"]), async (made) => {
        const { user, use, options, keys } = await build(made);
        use(rotatorPolicy(keys, PLACE));
        await using rotator = awsKmsRotator(options);
        const context = { signal: new AbortController().signal, requestId: "test" };
        for (const entry of keys) {
          const { arn } = await rotator.prepare(keyRef(entry), context);
          const { resource } = await rotator.commit(keyRef(entry), context);
          expect(resource).toBe(arn);
        }
        const other = await emulator.keys.create({ spec: "ECC_NIST_P256", aliases: [`alias/foreign/${run}`] });
        expect(await aliasDecisions(user, `alias/foreign/${run}`)).toEqual(["deny", "deny", "deny"]);
        const never = [
          "kms:ListKeys",
          "kms:ListAliases",
          "kms:GenerateDataKey",
          "kms:GetKeyPolicy",
          "kms:EnableKey",
          "kms:TagResource",
        ];
        for (const action of never) expect(await kmsDecision(emulator, user, action, other.arn)).toBe("deny");
      }),
      { numRuns: 12 },
    ));
});

/** CreateAlias, UpdateAlias and DeleteAlias of an alias, by the half that is decided on the alias. */
async function aliasDecisions(user: Parameters<typeof kmsDecision>[1], alias: string): Promise<string[]> {
  const key = await emulator.keys.create({ spec: "ECC_NIST_P256", aliases: [`${alias}/there`] });
  const decided: string[] = [];
  for (const [operation, name] of [
    ["CreateAlias", `${alias}/new`],
    ["UpdateAlias", `${alias}/there`],
    ["DeleteAlias", `${alias}/there`],
  ] as const) {
    decided.push(await kmsDecision(emulator, user, `kms:${operation}`, `${name} ${key.id}`));
  }
  return decided;
}
