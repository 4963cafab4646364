import { readFileSync } from "node:fs";
import type { Backend, TransitEngine } from "@basil/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { context } from "../test/call-context.js";
import {
  emulated,
  KEY_TYPES,
  keyRef,
  type PolicyDocument,
  SIGNING_KEY_TYPES,
  seedDocument,
  useProfiles,
  without,
} from "../test/emulated.js";
import { type AwsKmsIdentity, awsKmsPermissions } from "./permissions.js";

beforeAll(useProfiles);
afterAll(() => vi.unstubAllEnvs());

type Opened = Backend & { readonly transit: TransitEngine };

const message = new TextEncoder().encode("hello");
const actionsOf = (identity: AwsKmsIdentity): string[] => awsKmsPermissions[identity].map(({ action }) => action);
const RUNTIME_ACTIONS = actionsOf("runtime");
const PROVISIONER_ACTIONS = actionsOf("provisioner");
const aes = keyRef("aes-256-gcm");

/** The seed's runtime policy with other ARNs. */
function runtimePolicy(resources: readonly string[]): PolicyDocument {
  const policy = seedDocument("iam-runtime.json");
  return { ...policy, Statement: policy.Statement.map((statement) => ({ ...statement, Resource: resources })) };
}

/** The seed's runtime policy in its other form: any key, reached by an alias of ours. */
function aliasPolicy(): PolicyDocument {
  const { Condition } = seedDocument<{ Condition: unknown }>("condition-request-alias.json");
  const policy = runtimePolicy(["arn:aws:kms:us-east-1:111122223333:key/*"]);
  return { ...policy, Statement: policy.Statement.map((statement) => ({ ...statement, Condition })) };
}

/** Every operation of the runtime identity, by the action it needs. */
const OPERATIONS: Readonly<Record<string, (opened: Opened, sealed: Sealed) => Promise<unknown>>> = {
  "kms:Sign": ({ transit }) => transit.sign(keyRef("ecdsa-p256"), message, context()),
  "kms:Verify": ({ transit }, { signature }) => transit.verify(keyRef("ecdsa-p256"), message, signature, context()),
  "kms:GetPublicKey": ({ transit }) => transit.publicKey(keyRef("ecdsa-p256"), context()),
  "kms:DescribeKey": ({ probe }) => probe(keyRef("ecdsa-p256"), context()),
  "kms:Encrypt": ({ transit }) => transit.encrypt(aes, message, undefined, context()),
  "kms:Decrypt": ({ transit }, { envelope }) => transit.decrypt(aes, envelope, undefined, context()),
};

interface Sealed {
  readonly signature: Uint8Array;
  readonly envelope: Parameters<TransitEngine["decrypt"]>[1];
}
async function seal({ transit }: Opened): Promise<Sealed> {
  const { signature } = await transit.sign(keyRef("ecdsa-p256"), message, context());
  const { envelope } = await transit.encrypt(aes, message, undefined, context());
  return { signature, envelope };
}

async function everyOperation({ transit, probe }: Opened): Promise<void> {
  for (const keyType of KEY_TYPES) {
    await expect(probe(keyRef(keyType), context())).resolves.toMatchObject({ state: "present" });
  }
  for (const keyType of SIGNING_KEY_TYPES) {
    const key = keyRef(keyType);
    await transit.publicKey(key, context());
    const { signature } = await transit.sign(key, message, context());
    await expect(transit.verify(key, message, signature, context())).resolves.toMatchObject({ valid: true });
    signature[7]! ^= 1;
    await expect(transit.verify(key, message, signature, context())).resolves.toMatchObject({ valid: false });
  }
  const { envelope } = await transit.encrypt(aes, message, new Uint8Array(0), context());
  await expect(transit.decrypt(aes, envelope, new Uint8Array(0), context())).resolves.toMatchObject({
    plaintext: message,
  });
}

describe.for(["listed ARNs", "kms:RequestAlias"] as const)("the runtime identity, by %s", (form) => {
  const policyFor = (arns: readonly string[]) => (form === "listed ARNs" ? runtimePolicy(arns) : aliasPolicy());

  it("does every operation with exactly six actions, each of them allowed", async () => {
    await using test = await emulated();
    test.setPolicy("runtime", policyFor(test.emulator.keys.list().map(({ arn }) => arn)));
    await everyOperation(test.open("runtime"));
    const { calls } = test.emulator;
    expect(new Set(calls.map(({ operation }) => `kms:${operation}`))).toEqual(new Set(RUNTIME_ACTIONS));
    expect(calls.filter(({ decision }) => decision === "deny")).toEqual([]);
  });

  it.for(RUNTIME_ACTIONS)(
    "without %s fails in that operation alone, and the error names the action",
    async (action) => {
      await using test = await emulated();
      const policy = policyFor(test.emulator.keys.list().map(({ arn }) => arn));
      const sealed = await seal(test.open("admin"));
      test.setPolicy("runtime", without(policy, action));
      const runtime = test.open("runtime");
      for (const [needed, operation] of Object.entries(OPERATIONS)) {
        if (needed !== action) {
          await operation(runtime, sealed);
          continue;
        }
        const denied = operation(runtime, sealed);
        await expect(denied).rejects.toMatchObject({
          code: "ACCESS_DENIED",
          details: { action, resource: expect.stringMatching(/^arn:aws:kms:us-east-1:111122223333:key\//) },
        });
        await expect(denied).rejects.toThrow(/no identity-based policy allows/);
      }
    },
  );

  it("cannot create a key", async () => {
    await using test = await emulated();
    test.setPolicy("runtime", policyFor(test.emulator.keys.list().map(({ arn }) => arn)));
    const before = test.emulator.keys.list().length;
    const { transit } = test.open("runtime");
    await expect(
      transit.createKey({ ...keyRef("ecdsa-p256"), path: "alias/basil/new" }, context()),
    ).rejects.toMatchObject({
      code: "ACCESS_DENIED",
      details: { action: "kms:CreateKey" },
    });
    expect(test.emulator.keys.list()).toHaveLength(before);
  });
});

describe("the provisioner identity", () => {
  const policy = () => seedDocument("iam-provisioner.json");

  it("creates a key of every type with exactly the four actions of the seed", async () => {
    await using test = await emulated({ keys: [], policies: { provisioner: policy() } });
    const { transit, probe } = test.open("provisioner");
    for (const keyType of KEY_TYPES) {
      const key = keyRef(keyType);
      await expect(probe(key, context())).resolves.toEqual({ state: "absent" });
      const { resource, publicKey } = await transit.createKey(key, context());
      await expect(probe(key, context())).resolves.toMatchObject({ state: "present", resource });
      expect(publicKey !== undefined).toBe(keyType !== "aes-256-gcm");
    }
    const { calls } = test.emulator;
    expect(new Set(calls.map(({ operation }) => `kms:${operation}`))).toEqual(new Set(PROVISIONER_ACTIONS));
    expect(calls.filter(({ decision }) => decision === "deny")).toEqual([]);
  });

  it.for(PROVISIONER_ACTIONS)("without %s fails, and the error names the action", async (action) => {
    await using test = await emulated({ keys: [], policies: { provisioner: without(policy(), action) } });
    // An alias that is not there is answered before any decision, so DescribeKey is first denied on the way back.
    await expect(test.open("provisioner").transit.createKey(keyRef("ecdsa-p256"), context())).rejects.toMatchObject({
      code: "ACCESS_DENIED",
      details: { action },
    });
  });

  it("cannot give a key an alias outside alias/basil/, and says which resource is missing", async () => {
    await using test = await emulated({ keys: [], policies: { provisioner: policy() } });
    const elsewhere = { ...keyRef("ecdsa-p256"), path: "alias/team/new" };
    const denied = test.open("provisioner").transit.createKey(elsewhere, context());
    await expect(denied).rejects.toMatchObject({
      details: { action: "kms:CreateAlias", resource: "arn:aws:kms:us-east-1:111122223333:alias/team/new" },
    });
    await expect(denied).rejects.toThrow(test.emulator.keys.list()[0]?.arn);
  });

  it("needs kms:TagResource as soon as there are tags", async () => {
    await using test = await emulated({ keys: [], policies: { provisioner: policy() } });
    const tagged = test.open("provisioner", { tags: { team: "payments" } });
    await expect(tagged.transit.createKey(keyRef("ecdsa-p256"), context())).rejects.toMatchObject({
      details: { action: "kms:TagResource" },
    });
    const tag = { Effect: "Allow", Action: "kms:TagResource", Resource: "*" } as const;
    test.setPolicy("provisioner", { ...policy(), Statement: [...policy().Statement, tag] });
    await expect(tagged.transit.createKey(keyRef("ecdsa-p256"), context())).resolves.toMatchObject({ keyVersion: 1 });
  });

  it("creates keys through a lag of the region", async () => {
    await using test = await emulated({
      keys: [],
      policies: { provisioner: policy() },
      propagation: { keyMs: 400, aliasMs: 400 },
    });
    const { transit } = test.open("provisioner");
    const created = await transit.createKey(keyRef("ed25519"), context());
    await expect(transit.publicKey(keyRef("ed25519"), context())).resolves.toMatchObject({
      publicKey: created.publicKey,
    });
    await transit.createKey(aes, context());
    await expect(test.open("admin").transit.encrypt(aes, message, undefined, context())).resolves.toBeDefined();
    expect(test.emulator.keys.list()).toHaveLength(2);
  });
});

describe("the rotator identity", () => {
  const operators = readFileSync(new URL("../../../docs/backend-aws-kms.md", import.meta.url), "utf8");
  const [, added = ""] = /## Rotator[\s\S]*?```json\n([\s\S]*?)```/.exec(operators) ?? [];

  /** As the operators' page has it. */
  const policy = (): PolicyDocument => {
    const provisioner = seedDocument("iam-provisioner.json");
    return {
      ...provisioner,
      Statement: [...provisioner.Statement, ...(JSON.parse(added) as PolicyDocument["Statement"])],
    };
  };

  it.for(["ecdsa-p521", "aes-256-gcm"] as const)(
    "rotates a key of %s, and a runtime by alias goes on with it",
    async (keyType) => {
      await using test = await emulated({
        policies: { rotator: policy(), runtime: aliasPolicy() },
        propagation: { aliasMs: 200 },
      });
      const runtime = test.open("runtime");
      const key = keyRef(keyType);
      await runtime.probe(key, context());
      const { rotate } = test.open("rotator", { rotation: true }).transit;
      await expect(rotate?.(key, context())).resolves.toMatchObject({ keyVersion: 2 });
      await expect(runtime.probe(key, context())).resolves.toMatchObject({ state: "present", latestVersion: 2 });
      expect(test.emulator.calls.filter(({ decision }) => decision === "deny")).toEqual([]);
      const rotated = test.emulator.calls.filter(({ principal }) => principal?.endsWith("user/rotator"));
      const called = new Set(rotated.map(({ operation }) => `kms:${operation}`));
      const proof = keyType === "aes-256-gcm" ? ["kms:Sign", "kms:Verify"] : ["kms:Encrypt", "kms:Decrypt"];
      expect(called).toEqual(new Set(actionsOf("rotator").filter((action) => !proof.includes(action))));
    },
  );

  it("is told that it cannot rotate without kms:UpdateAlias", async () => {
    await using test = await emulated({ policies: { rotator: without(policy(), "kms:UpdateAlias") } });
    const { rotate } = test.open("rotator", { rotation: true }).transit;
    await expect(rotate?.(keyRef("ed25519"), context())).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("kms:UpdateAlias"),
    });
  });
});
