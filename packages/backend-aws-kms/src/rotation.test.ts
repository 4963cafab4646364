import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeyRef } from "@basil/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { FakeKms, kmsFailure } from "../test/fake-kms.js";
import { killedAt } from "../test/killed-at.js";
import { recordingLogger } from "../test/recording-logger.js";
import { awsKmsOver } from "./backend.js";
import type { DriftEvent } from "./observer.js";
import type { AwsKmsOptions } from "./options.js";
import type { RotationPlan } from "./rotation.js";

const ALIAS = "alias/basil/k";
const key: KeyRef = { name: "k", path: ALIAS, keyType: "ed25519" };
const aes: KeyRef = { ...key, keyType: "aes-256-gcm" };
const message = new TextEncoder().encode("hello");

let folder: string;
let journalFile: string;
let abandoned: AbortController;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rotation-"));
  journalFile = join(folder, "journal");
  abandoned = new AbortController();
});
afterEach(async () => {
  abandoned.abort();
  await rm(folder, { recursive: true });
});

function open(kms: FakeKms, options: Partial<AwsKmsOptions> = {}) {
  const logger = recordingLogger();
  const drifts: DriftEvent[] = [];
  const backend = awsKmsOver(kms, {
    id: "kms",
    rotation: true,
    propagationTimeoutMs: 1000,
    logger,
    observer: { onDrift: (event) => void drifts.push(event) },
    ...options,
  });
  const { transit } = backend;
  if (!transit?.rotate) throw new Error("no rotation");
  return { kms, backend, transit, rotate: transit.rotate, logger, drifts };
}

function withKey(keyType: "ed25519" | "aes-256-gcm" = "ed25519") {
  const kms = new FakeKms();
  const signs = keyType === "ed25519";
  kms.create(signs ? "ECC_NIST_EDWARDS25519" : "SYMMETRIC_DEFAULT", signs ? "SIGN_VERIFY" : "ENCRYPT_DECRYPT", ALIAS);
  return kms;
}

const targets = (kms: FakeKms) =>
  Object.fromEntries([...kms.aliases].map(([name, id]) => [name, kms.keys.get(id)?.arn]));

describe("rotate", () => {
  it("makes a new version the newest and keeps the old one as version 1", async () => {
    const { kms, transit, rotate } = open(withKey());
    const [first] = [...kms.keys.values()];
    const old = await transit.sign(key, message, context());
    const { keyVersion, resource } = await rotate(key, context());
    expect(keyVersion).toBe(2);
    expect(targets(kms)).toEqual({ [ALIAS]: resource, [`${ALIAS}/v1`]: first?.arn, [`${ALIAS}/v2`]: resource });
    await expect(transit.sign(key, message, context())).resolves.toMatchObject({ keyVersion: 2, resource });
    await expect(transit.verify(key, message, old.signature, context())).resolves.toMatchObject({
      valid: true,
      keyVersion: 1,
    });
  });

  it("rotates a symmetric key, and old ciphertexts open", async () => {
    const { transit, rotate } = open(withKey("aes-256-gcm"));
    const { envelope } = await transit.encrypt(aes, message, undefined, context());
    await expect(rotate(aes, context())).resolves.toMatchObject({ keyVersion: 2 });
    await expect(transit.decrypt(aes, envelope, undefined, context())).resolves.toMatchObject({ plaintext: message });
    await expect(transit.encrypt(aes, message, undefined, context())).resolves.toMatchObject({
      envelope: { keyVersion: 2 },
    });
  });

  it("uses the new key by its ARN before the alias moves, and moves it last", async () => {
    const { kms, rotate } = open(withKey());
    const { resource } = await rotate(key, context());
    const actions = kms.requests.map(({ action, input }) => `${action} ${input.KeyId ?? input.AliasName ?? ""}`);
    const move = actions.indexOf(`UpdateAlias ${ALIAS}`);
    expect(actions.indexOf(`Sign ${resource}`)).toBeLessThan(move);
    expect(actions.indexOf(`Verify ${resource}`)).toBeLessThan(move);
    expect(actions.slice(move + 1).every((action) => action.startsWith("DescribeKey"))).toBe(true);
  });

  it("shows the plan with the line a runtime policy needs, and leaves the alias where it is without consent", async () => {
    const plans: RotationPlan[] = [];
    let consent = false;
    const kms = withKey();
    const { rotate } = open(kms, {
      confirmRotation: (plan) => {
        plans.push(plan);
        return consent;
      },
    });
    const before = targets(kms)[ALIAS];
    await expect(rotate(key, context())).rejects.toMatchObject({ code: "CANCELLED" });
    expect(targets(kms)[ALIAS]).toBe(before);
    expect(plans[0]).toMatchObject({
      alias: ALIAS,
      previousArn: before,
      version: 2,
      policyResource: `"${plans[0]?.arn}"`,
    });
    consent = true;
    await expect(rotate(key, context())).resolves.toMatchObject({ keyVersion: 2, resource: plans[0]?.arn });
    expect(kms.keys.size).toBe(2);
  });

  it("goes on with the next number when the alias of a deleted version was moved to the key in use", async () => {
    const kms = withKey();
    const [first] = [...kms.keys.values()];
    const { resource: second } = await open(kms).rotate(key, context());
    kms.aliases.set(`${ALIAS}/v1`, kms.aliases.get(ALIAS) ?? "");
    kms.keys.delete(first?.id ?? "");
    const { keyVersion, resource: third } = await open(kms).rotate(key, context());
    expect(keyVersion).toBe(3);
    expect(third).not.toBe(second);
    expect(targets(kms)).toEqual({
      ...{ [ALIAS]: third, [`${ALIAS}/v1`]: second, [`${ALIAS}/v2`]: second, [`${ALIAS}/v3`]: third },
    });
  });

  it("gives a key that was moved in by hand a version of its own first", async () => {
    const kms = withKey();
    const { rotate } = open(kms);
    await rotate(key, context());
    const byHand = kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY");
    kms.aliases.set(ALIAS, byHand.id);
    await expect(open(kms).rotate(key, context())).resolves.toMatchObject({ keyVersion: 4 });
    expect(targets(kms)[`${ALIAS}/v3`]).toBe(byHand.arn);
  });

  it("refuses a path that AWS named, an absent key and an unusable one", async () => {
    const kms = withKey();
    const { rotate } = open(kms);
    const [first] = [...kms.keys.values()];
    await expect(rotate({ ...key, path: first?.arn ?? "" }, context())).rejects.toMatchObject({
      code: "INVALID_REQUEST",
    });
    await expect(rotate({ ...key, path: "alias/other" }, context())).rejects.toMatchObject({ code: "KEY_NOT_FOUND" });
    if (first) first.state = "Disabled";
    await expect(rotate(key, context())).rejects.toMatchObject({ code: "KEY_UNUSABLE" });
    expect(kms.keys.size).toBe(1);
  });

  it.for(["CreateKey", "CreateAlias", "UpdateAlias"])(
    "is UNSUPPORTED to an identity without kms:%s",
    async (denied) => {
      const { kms, rotate } = open(withKey());
      kms.before = (action) => {
        if (action === denied) throw kmsFailure("AccessDeniedException", `not authorized to perform: kms:${denied}`);
      };
      await expect(rotate(key, context())).rejects.toMatchObject({
        code: "UNSUPPORTED",
        message: expect.stringContaining(`kms:${denied}`),
      });
    },
  );

  it("is not offered by a backend that was not opened for it", () => {
    const { transit, capabilities } = awsKmsOver(withKey(), { id: "kms" });
    expect(transit?.rotate).toBeUndefined();
    for (const { operations } of Object.values(capabilities.keyTypes)) expect(operations).not.toContain("rotate");
    const rotating = open(withKey()).backend;
    for (const { operations } of Object.values(rotating.capabilities.keyTypes)) expect(operations).toContain("rotate");
  });

  it("after a kill goes on from every boundary: two keys, both named, the alias never at an unproved one", async () => {
    let boundaries = 0;
    for (const when of ["before", "after"] as const) {
      for (let n = 1; ; n += 1) {
        const kms = withKey();
        journalFile += "x";
        if (!(await killedAt(kms, when, n, begin(kms)))) break;
        boundaries += 1;
        const proved = new Set(
          kms.requests.filter(({ action }) => action === "Verify").map(({ input }) => input.KeyId),
        );
        const moved = targets(kms)[ALIAS] !== [...kms.keys.values()][0]?.arn;
        if (moved) {
          expect(proved).toContain(targets(kms)[ALIAS]);
          continue;
        }
        await open(kms, { journalFile }).rotate(key, context());
        expect(kms.keys.size, `killed ${when} request ${n}`).toBe(2);
        const [first, second] = [...kms.keys.values()].map(({ arn }) => arn);
        expect(targets(kms)).toEqual({ [ALIAS]: second, [`${ALIAS}/v1`]: first, [`${ALIAS}/v2`]: second });
      }
    }
    expect(boundaries).toBeGreaterThanOrEqual(20);
  });

  it("twice under load fails no call, and raises no alarm", async () => {
    const kms = withKey();
    kms.before = () => new Promise((resolve) => setImmediate(resolve));
    const { rotate } = open(kms);
    const { transit, drifts } = open(kms, { graceVersions: 2 });
    const { signature } = await transit.sign(key, message, context());
    let running = true;
    const load = Array.from({ length: 8 }, async () => {
      let calls = 0;
      for (; running; calls += 1) {
        const signed = await transit.sign(key, message, context());
        const { valid } = await transit.verify(key, message, signed.signature, context());
        expect(valid).toBe(true);
      }
      return calls;
    });
    await rotate(key, context());
    await rotate(key, context());
    running = false;
    for (const calls of await Promise.all(load)) expect(calls).toBeGreaterThan(0);
    await expect(transit.verify(key, message, signature, context())).resolves.toMatchObject({
      valid: true,
      keyVersion: 1,
    });
    await expect(transit.sign(key, message, context())).resolves.toMatchObject({ keyVersion: 3 });
    expect(drifts).toEqual([]);
  });
});

const begin = (kms: FakeKms) => () => {
  const { rotate } = open(kms, { journalFile, operationTimeoutMs: 60_000 });
  return rotate(key, context({ signal: abandoned.signal }));
};
