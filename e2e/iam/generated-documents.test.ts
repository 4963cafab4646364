import { type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKms, awsKmsPermissions, awsKmsRotator, keyReference } from "@basil/backend-aws-kms";
import { isBackendError, keyRef, type TransitEngine } from "@basil/core";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { IamDocument } from "../../packages/cli/src/iam/iam-document.ts";
import { provisionerPolicy, rotatorPolicy } from "../../packages/cli/src/iam/provisioning-policies.ts";
import { leastRuntimePolicy, runtimePolicyByAlias } from "../../packages/cli/src/iam/runtime-policy.ts";
import { arnsOfAll, type BuiltKey, build, granted, NEEDS, neededOn, type Operation, world } from "./iam-world.ts";
import { DECIDABLE, DECIDABLE_BY_ALIAS, kmsDecision } from "./kms-decision.ts";

const PLACE = { partition: "aws", region: "us-east-1", account: "111122223333" };
const RUNTIME = awsKmsPermissions.runtime.map(({ action }) => action as string);

const utf8 = (text: string) => new TextEncoder().encode(text);
const message = utf8("a message");
const call = () => ({ signal: new AbortController().signal, requestId: "test" });
let emulator: KmsEmulator;

beforeAll(async () => {
  emulator = await startKmsEmulator();
});
beforeEach(() => emulator.clearCalls());
afterAll(() => emulator.close());

type Done = Partial<Record<Exclude<Operation, "mint">, unknown>>;

/** What each operation of Basil on a key gives, and nothing for one that AWS denies. */
async function outcomes(calls: Readonly<Record<string, () => Promise<unknown>>>): Promise<Done> {
  const done: Record<string, unknown> = {};
  for (const [op, call] of Object.entries(calls)) {
    try {
      done[op] = await call();
    } catch (error) {
      if (!isBackendError(error) || error.code !== "ACCESS_DENIED") throw error;
    }
  }
  return done;
}

/** Everything that can be asked of one version of a key; what it is asked with was made by somebody who may. */
async function askOf(transit: TransitEngine, root: TransitEngine, { entry, current, arns }: BuiltKey, version: number) {
  const key = keyRef(entry);
  // By its own alias each version is a key that was never rotated.
  const own = arns.length === 1 ? key : { ...key, path: `${keyReference(key.path).keyId}/v${version}` };
  if (entry.class === "symmetric") {
    const { envelope } = await root.encrypt(own, message, undefined, call());
    const decrypt = () => transit.decrypt(key, { ...envelope, keyVersion: version }, undefined, call());
    return outcomes({
      ...(version === current && { encrypt: () => transit.encrypt(key, message, undefined, call()) }),
      decrypt: async () => (await decrypt()).plaintext,
    });
  }
  const { signature } = await root.sign(own, message, call());
  return outcomes({
    ...(version === current && { sign: () => transit.sign(key, message, call()) }),
    verify: async () => (await transit.verify(key, message, signature, call())).valid,
    get_public_key: async () => (await transit.publicKey(key, call(), { version })).resource,
  });
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

const ALL = ["sign", "verify", "get_public_key", "encrypt", "decrypt"] as const;

/** Every action on every resource of a document that has no patterns. */
function allowedBy({ Statement }: IamDocument): string[] {
  return Statement.flatMap(({ Action, Resource = [] }) =>
    [Action].flat().flatMap((action) => [Resource].flat().map((resource) => `${action} ${resource}`)),
  );
}

describe("basil iam policy", { timeout: 60_000 }, () => {
  it("of the --policy form lets every granted operation through on every version, and nothing else", async () => {
    let older = 0;
    await fc.assert(
      fc.asyncProperty(world(["alias", "other alias", "logical", "arn", "id"], 3), async (made) => {
        const built = await build(emulator, made);
        const { catalog, policy, user, use, options, rootOptions, keys } = built;
        const { graceVersions } = made;
        const document = await leastRuntimePolicy(RUNTIME, await arnsOfAll(built), catalog, policy, graceVersions);
        use(document);
        await using backend = awsKms({ ...options, ...(graceVersions !== undefined && { graceVersions }) });
        await using root = awsKms(rootOptions);
        if (!backend.transit || !root.transit) throw new Error("no transit engine");
        emulator.clearCalls();
        for (const [at, key] of keys.entries()) {
          const ops = granted(made, at);
          await backend.probe(keyRef(key.entry), call());
          for (const [index, arn] of key.arns.entries()) {
            const version = index + 1;
            const actions = neededOn(ops, version, key.current, graceVersions);
            const done = await askOf(backend.transit, root.transit, key, version);
            // A signature is judged by the newest version first, so that it is judged wherever anything is.
            const judged = ops.includes("verify") ? ["kms:Verify"] : [];
            const may = new Set([...actions, ...judged]);
            const through = ALL.filter((op) => NEEDS[op].every((action) => may.has(action)));
            expect(Object.keys(done).sort()).toEqual(
              through.filter((op) => version === key.current || (op !== "sign" && op !== "encrypt")).sort(),
            );
            if ("verify" in done) expect(done.verify).toBe(actions.has("kms:Verify"));
            if ("decrypt" in done) expect(done.decrypt).toEqual(message);
            if ("get_public_key" in done) expect(done.get_public_key).toBe(arn);
            older += version === key.current ? 0 : 1;
          }
        }
        // Whatever the document allows was called.
        const called = emulator.calls.filter(
          ({ principal, decision }) => principal === user.arn && decision === "allow",
        );
        expect(new Set(called.map(({ action, resource }) => `${action} ${resource}`))).toEqual(
          new Set(allowedBy(document)),
        );
        for (const [at, key] of keys.entries()) {
          for (const [index, arn] of key.arns.entries()) {
            const actions = neededOn(granted(made, at), index + 1, key.current, graceVersions);
            expect(await otherThan(actions, user, arn)).toEqual([]);
          }
        }
        const other = await emulator.keys.create({ spec: "ECC_NIST_P256" });
        expect(await otherThan(new Set(), user, other.arn)).toEqual([]);
      }),
      { numRuns: 30 },
    );
    expect(older).toBeGreaterThan(20);
  });

  it("--style request-alias lets the six actions through by the catalog's aliases, and nothing by ARN or another alias", () =>
    fc.assert(
      fc.asyncProperty(world(["alias", "other alias", "logical"], 1), async (made) => {
        const { run, user, use, keys } = await build(emulator, made);
        const entries = keys.map(({ entry }) => entry);
        use(runtimePolicyByAlias(RUNTIME, entries, PLACE));
        emulator.keys.setAlias(`alias/elsewhere/${run}`, keys[0]?.arns[0]?.split("/")[1] ?? "");
        for (const { entry, arns } of keys) {
          const { keyId } = keyReference(entry.path);
          const versions = arns.length === 1 ? [] : arns.map((_, at) => `${keyId}/v${at + 1}`);
          for (const alias of [keyId, ...versions]) {
            expect(await otherThan(new Set(RUNTIME), user, alias, DECIDABLE_BY_ALIAS)).toEqual([]);
          }
          for (const arn of arns) expect(await otherThan(new Set(), user, arn)).toEqual([]);
        }
        expect(await otherThan(new Set(), user, `alias/elsewhere/${run}`, DECIDABLE_BY_ALIAS)).toEqual([]);
      }),
      { numRuns: 20 },
    ));

  it("of the provisioner lets it create every key of the catalog, and use none", () =>
    fc.assert(
      fc.asyncProperty(world(["alias", "other alias", "logical"]), async (made) => {
        const { run, user, use, options, keys } = await build(emulator, made, { present: false });
        const entries = keys.map(({ entry }) => entry);
        use(provisionerPolicy(entries, PLACE));
        await using backend = awsKms(options);
        for (const entry of entries) {
          const { resource } = (await backend.transit?.createKey(keyRef(entry), call())) ?? { resource: "" };
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
        const { run, user, use, options, keys } = await build(emulator, made);
        const entries = keys.map(({ entry }) => entry);
        use(rotatorPolicy(entries, PLACE));
        await using rotator = awsKmsRotator(options);
        for (const entry of entries) {
          const { arn } = await rotator.prepare(keyRef(entry), call());
          const { resource } = await rotator.commit(keyRef(entry), call());
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
