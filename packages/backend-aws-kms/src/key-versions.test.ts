import type { KeyRef } from "@basil/core";
import { describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { FakeKms, kmsFailure } from "../test/fake-kms.js";
import { awsKmsOver } from "./backend.js";
import type { DriftEvent, RotationEvent } from "./observer.js";
import type { AwsKmsOptions } from "./options.js";

const ALIAS = "alias/basil/k";
const key: KeyRef = { name: "k", path: ALIAS, keyType: "ed25519" };
const aes: KeyRef = { name: "k", path: ALIAS, keyType: "aes-256-gcm" };
const message = new TextEncoder().encode("hello");

function open(options: Partial<AwsKmsOptions> = {}, keyRef: KeyRef = key) {
  const kms = new FakeKms();
  const spec = keyRef.keyType === "ed25519" ? "ECC_NIST_EDWARDS25519" : "SYMMETRIC_DEFAULT";
  const usage = keyRef.keyType === "ed25519" ? "SIGN_VERIFY" : "ENCRYPT_DECRYPT";
  const make = () => kms.create(spec, usage);
  const first = make();
  kms.aliases.set(ALIAS, first.id);
  const rotations: RotationEvent[] = [];
  const drifts: DriftEvent[] = [];
  const observer = {
    onRotation: (event: RotationEvent) => void rotations.push(event),
    onDrift: (event: DriftEvent) => void drifts.push(event),
  };
  const { transit, probe, health } = awsKmsOver(kms, { id: "kms", observer, ...options });
  if (!transit) throw new Error("no transit engine");
  return {
    kms,
    first,
    make,
    transit,
    probe,
    health,
    rotations,
    drifts,
    /** What another process does: a new key, its version alias, then the main alias moved. */
    rotateElsewhere() {
      const versions = [...kms.aliases.keys()].filter((alias) => alias.startsWith(`${ALIAS}/v`)).length;
      if (versions === 0) kms.aliases.set(`${ALIAS}/v1`, kms.aliases.get(ALIAS) ?? "");
      const next = make();
      kms.aliases.set(`${ALIAS}/v${Math.max(versions, 1) + 1}`, next.id);
      kms.aliases.set(ALIAS, next.id);
      return next;
    },
  };
}

describe("versions of a key", () => {
  it("are 1 without version aliases", async () => {
    const { transit, probe, rotations, drifts } = open();
    await expect(transit.sign(key, message, context())).resolves.toMatchObject({ keyVersion: 1 });
    await expect(probe(key, context())).resolves.toMatchObject({ latestVersion: 1 });
    expect([rotations, drifts]).toEqual([[], []]);
  });

  it("are told from the aliases by a process that starts after rotations", async () => {
    const { transit, probe, rotateElsewhere } = open();
    rotateElsewhere();
    const third = rotateElsewhere();
    await expect(probe(key, context())).resolves.toMatchObject({ latestVersion: 3, resource: third.arn });
    await expect(transit.sign(key, message, context())).resolves.toMatchObject({ keyVersion: 3 });
  });

  it("follow a rotation that happens elsewhere, with one event and no alarm, whatever is in flight", async () => {
    const { transit, rotations, drifts, rotateElsewhere } = open();
    await transit.sign(key, message, context());
    const second = rotateElsewhere();
    const signed = await Promise.all(Array.from({ length: 32 }, () => transit.sign(key, message, context())));
    expect(new Set(signed.map(({ keyVersion }) => keyVersion))).toEqual(new Set([2]));
    expect(rotations).toEqual([{ key: "k", path: ALIAS, arn: second.arn, version: 2 }]);
    expect(drifts).toEqual([]);
  });

  it("take an answer by the old key just after a rotation for what it is", async () => {
    const { kms, first, transit, rotations, drifts, rotateElsewhere } = open();
    await transit.sign(key, message, context());
    const second = rotateElsewhere();
    await transit.sign(key, message, context());
    kms.aliases.set(ALIAS, first.id);
    await expect(transit.sign(key, message, context())).resolves.toMatchObject({ keyVersion: 1, resource: first.arn });
    kms.aliases.set(ALIAS, second.id);
    await expect(transit.sign(key, message, context())).resolves.toMatchObject({ keyVersion: 2 });
    expect([rotations.length, drifts.length]).toEqual([1, 0]);
  });

  it("wait with a version whose alias is there before the main alias has moved", async () => {
    const { kms, first, make, probe } = open();
    kms.aliases.set(`${ALIAS}/v1`, first.id);
    kms.aliases.set(`${ALIAS}/v2`, make().id);
    await expect(probe(key, context())).resolves.toMatchObject({ latestVersion: 1, resource: first.arn });
  });

  it("keep their numbers for an identity that may not describe an old one", async () => {
    const { kms, first, transit, rotateElsewhere } = open();
    rotateElsewhere();
    kms.before = (action, { KeyId }) => {
      if (action === "DescribeKey" && KeyId === `${ALIAS}/v1`) throw kmsFailure("AccessDeniedException", first.arn);
    };
    await expect(transit.sign(key, message, context())).resolves.toMatchObject({ keyVersion: 2 });
  });

  /** Two rotations, and then the first key is gone; its version alias leads to the second. */
  function retired(keyRef: KeyRef) {
    const { kms, first, rotateElsewhere } = open({}, keyRef);
    const second = rotateElsewhere();
    const third = rotateElsewhere();
    kms.aliases.set(`${ALIAS}/v1`, second.id);
    kms.keys.delete(first.id);
    const { transit, probe } = awsKmsOver(kms, { id: "kms" });
    if (!transit) throw new Error("no transit engine");
    return { transit, probe, second, third };
  }

  it("keep their numbers when the alias of a deleted one was moved to the key of the next", async () => {
    const { transit, probe, second, third } = retired(key);
    await expect(probe(key, context())).resolves.toMatchObject({ latestVersion: 3, resource: third.arn });
    const of = (version: number) => transit.publicKey(key, context(), { version });
    await expect(of(2)).resolves.toMatchObject({ keyVersion: 2, resource: second.arn });
    await expect(of(1)).rejects.toMatchObject({ code: "KEY_NOT_FOUND" });
  });

  it("then still open what they sealed, and the deleted one opens nothing", async () => {
    const { transit, second } = retired(aes);
    const { envelope } = await transit.encrypt(aes, message, undefined, context());
    expect(envelope.keyVersion).toBe(3);
    const older = await transit.encrypt({ ...aes, path: `${ALIAS}/v2` }, message, undefined, context());
    const opened = transit.decrypt(aes, { ...older.envelope, keyVersion: 2 }, undefined, context());
    await expect(opened).resolves.toMatchObject({ plaintext: message, keyVersion: 2, resource: second.arn });
    const gone = transit.decrypt(aes, { ...older.envelope, keyVersion: 1 }, undefined, context());
    await expect(gone).rejects.toMatchObject({ code: "DECRYPT_FAILED" });
  });

  it("are 1, and nothing fails, for an identity that may not DescribeKey", async () => {
    const { kms, transit } = open();
    kms.before = (action) => {
      if (action === "DescribeKey") throw kmsFailure("AccessDeniedException", "no");
    };
    await expect(transit.sign(key, message, context())).resolves.toMatchObject({ keyVersion: 1 });
    await transit.publicKey(key, context());
    await transit.publicKey(key, context());
    expect(kms.count("GetPublicKey")).toBe(1);
  });
});

describe("the look for versions", () => {
  it("holds up no operation for long when DescribeKey is silent, and is not repeated at once", async () => {
    const { kms, transit } = open();
    kms.before = (action) => (action === "DescribeKey" ? new Promise(() => {}) : undefined);
    const started = performance.now();
    for (let i = 0; i < 5; i += 1) {
      await expect(transit.sign(key, message, context())).resolves.toMatchObject({ keyVersion: 1 });
    }
    expect(performance.now() - started).toBeLessThan(4000);
    expect(kms.count("DescribeKey")).toBe(1);
  });

  it("fails an encryption rather than give it a number that may be wrong", async () => {
    const { kms, transit, rotateElsewhere } = open({}, aes);
    await transit.encrypt(aes, message, undefined, context());
    rotateElsewhere();
    kms.before = (action) => {
      if (action === "DescribeKey") throw kmsFailure("ThrottlingException");
    };
    await expect(transit.encrypt(aes, message, undefined, context())).rejects.toMatchObject({ code: "UNAVAILABLE" });
    kms.before = () => {};
    const { envelope } = await transit.encrypt(aes, message, undefined, context());
    expect(envelope.keyVersion).toBe(2);
    await expect(transit.decrypt(aes, envelope, undefined, context())).resolves.toMatchObject({ plaintext: message });
  });

  it("ends with the caller's deadline", async () => {
    const { kms, transit } = open();
    kms.before = (action) => (action === "DescribeKey" ? new Promise(() => {}) : undefined);
    await expect(transit.sign(key, message, context({ deadline: Date.now() + 50 }))).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
  });
});

describe("an alias moved by hand", () => {
  it("raises exactly one alarm, and the answer is served", async () => {
    const { kms, first, make, transit, health, drifts } = open();
    await transit.sign(key, message, context());
    const other = make();
    kms.aliases.set(ALIAS, other.id);
    const signed = await Promise.all(Array.from({ length: 8 }, () => transit.sign(key, message, context())));
    for (const { resource } of signed) expect(resource).toBe(other.arn);
    await transit.sign(key, message, context());
    expect(drifts).toEqual([{ key: "k", path: ALIAS, expectedArn: first.arn, arn: other.arn }]);
    expect((await health(context())).detail).toContain(other.arn);
  });

  it("is forgotten when it comes back, and raises no second alarm for the same key", async () => {
    const { kms, first, make, transit, health, drifts } = open();
    await transit.sign(key, message, context());
    const other = make();
    for (const target of [other, first, other, first]) {
      kms.aliases.set(ALIAS, target.id);
      await transit.sign(key, message, context());
    }
    expect(drifts).toHaveLength(1);
    expect(await health(context())).toEqual({ healthy: true });
  });

  it("brings another public key with it", async () => {
    const { kms, make, transit } = open();
    const before = await transit.publicKey(key, context());
    const other = make();
    kms.aliases.set(ALIAS, other.id);
    await transit.sign(key, message, context());
    const after = await transit.publicKey(key, context());
    expect(after.resource).toBe(other.arn);
    expect(after.publicKey).not.toEqual(before.publicKey);
  });
});

describe("public keys", () => {
  it("cost one call however often they are asked for", async () => {
    const { kms, transit } = open();
    const keys = await Promise.all(Array.from({ length: 16 }, () => transit.publicKey(key, context())));
    keys.push(await transit.publicKey(key, context()));
    expect(new Set(keys.map(({ publicKey }) => Buffer.from(publicKey).toString("hex"))).size).toBe(1);
    expect(kms.count("GetPublicKey")).toBe(1);
  });

  it("cannot be changed through an answer", async () => {
    const { transit } = open();
    const { publicKey } = await transit.publicKey(key, context());
    const copy = Uint8Array.from(publicKey);
    publicKey.fill(0);
    await expect(transit.publicKey(key, context())).resolves.toMatchObject({ publicKey: copy });
  });

  it("are fetched anew after a rotation, and by version", async () => {
    const { first, transit, rotateElsewhere } = open();
    const original = await transit.publicKey(key, context());
    const second = rotateElsewhere();
    await transit.sign(key, message, context());
    await expect(transit.publicKey(key, context())).resolves.toMatchObject({ keyVersion: 2, resource: second.arn });
    await expect(transit.publicKey(key, context(), { version: 1 })).resolves.toMatchObject({
      keyVersion: 1,
      resource: first.arn,
      publicKey: original.publicKey,
    });
    await expect(transit.publicKey(key, context(), { version: 3 })).rejects.toMatchObject({ code: "KEY_NOT_FOUND" });
    await expect(transit.publicKey(key, context(), { version: 0 })).rejects.toMatchObject({ code: "KEY_NOT_FOUND" });
  });
});

describe.for(["kms", "local"] as const)("verify: %s", (verify) => {
  it("says true and false as KMS does", async () => {
    const { transit } = open({ verify });
    const { signature } = await transit.sign(key, message, context());
    await expect(transit.verify(key, message, signature, context())).resolves.toMatchObject({
      valid: true,
      keyVersion: 1,
    });
    signature[5]! ^= 1;
    await expect(transit.verify(key, message, signature, context())).resolves.toMatchObject({ valid: false });
  });

  it("takes signatures of older versions within the grace, and no others", async () => {
    const { transit, rotateElsewhere } = open({ verify, graceVersions: 1 });
    const one = await transit.sign(key, message, context());
    rotateElsewhere();
    const two = await transit.sign(key, message, context());
    await expect(transit.verify(key, message, one.signature, context())).resolves.toMatchObject({
      valid: true,
      keyVersion: 1,
    });
    rotateElsewhere();
    await transit.sign(key, message, context());
    await expect(transit.verify(key, message, two.signature, context())).resolves.toMatchObject({
      valid: true,
      keyVersion: 2,
    });
    await expect(transit.verify(key, message, one.signature, context())).resolves.toMatchObject({ valid: false });
  });

  it("knows a signature of before a rotation that it has not seen", async () => {
    const { transit, rotateElsewhere } = open({ verify });
    const { signature } = await transit.sign(key, message, context());
    rotateElsewhere();
    await expect(transit.verify(key, message, signature, context())).resolves.toMatchObject({
      valid: true,
      keyVersion: 1,
    });
  });
});

describe("verify: local", () => {
  it("costs no call once the public key is there", async () => {
    const { kms, transit } = open({ verify: "local" });
    const { signature } = await transit.sign(key, message, context());
    for (let i = 0; i < 20; i += 1) await transit.verify(key, message, signature, context());
    expect(kms.count("Verify")).toBe(0);
    expect(kms.count("GetPublicKey")).toBe(1);
  });

  it("knows a signature of after a rotation that it has not seen", async () => {
    const { kms, transit, rotateElsewhere } = open({ verify: "local" });
    await transit.publicKey(key, context());
    const second = rotateElsewhere();
    const elsewhere = awsKmsOver(kms, { id: "other" });
    const { signature } = await elsewhere.transit!.sign(key, message, context());
    await expect(transit.verify(key, message, signature, context())).resolves.toMatchObject({
      valid: true,
      keyVersion: 2,
      resource: second.arn,
    });
  });
});

describe("decrypt", () => {
  it("opens what older versions sealed, naming the alias of that version", async () => {
    const { kms, transit, rotateElsewhere } = open({}, aes);
    const one = await transit.encrypt(aes, message, undefined, context());
    rotateElsewhere();
    const two = await transit.encrypt(aes, message, undefined, context());
    expect([one.envelope.keyVersion, two.envelope.keyVersion]).toEqual([1, 2]);
    for (const { envelope } of [one, two]) {
      await expect(transit.decrypt(aes, envelope, undefined, context())).resolves.toMatchObject({
        plaintext: message,
        keyVersion: envelope.keyVersion,
      });
    }
    const named = kms.requests.filter(({ action }) => action === "Decrypt").map(({ input }) => input.KeyId);
    expect(named).toEqual([`${ALIAS}/v1`, `${ALIAS}/v2`]);
  });

  it("opens what was sealed before a rotation that it has not seen", async () => {
    const { transit, rotateElsewhere } = open({}, aes);
    const { envelope } = await transit.encrypt(aes, message, undefined, context());
    rotateElsewhere();
    await expect(transit.decrypt(aes, envelope, undefined, context())).resolves.toMatchObject({
      plaintext: message,
      keyVersion: 1,
    });
  });

  it("takes an envelope without a version as one of the newest, and refuses one of a version that is not there", async () => {
    const { transit, rotateElsewhere } = open({}, aes);
    for (const newest of [1, 2]) {
      const { envelope } = await transit.encrypt(aes, message, undefined, context());
      const opened = transit.decrypt(aes, { ...envelope, keyVersion: 0 }, undefined, context());
      await expect(opened).resolves.toMatchObject({ plaintext: message, keyVersion: newest });
      const refused = transit.decrypt(aes, { ...envelope, keyVersion: 7 }, undefined, context());
      await expect(refused).rejects.toMatchObject({ code: "DECRYPT_FAILED" });
      if (newest === 1) rotateElsewhere();
    }
  });
});
