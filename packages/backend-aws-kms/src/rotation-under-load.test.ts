import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { context } from "../test/call-context.js";
import { emulated, keyRef, useProfiles } from "../test/emulated.js";
import type { DriftEvent, RotationEvent } from "./observer.js";

beforeAll(useProfiles);
afterAll(() => vi.unstubAllEnvs());

const message = new TextEncoder().encode("hello");

describe("two rotations under load, in a region with a lag", () => {
  it.for(["kms", "local"] as const)("fail no call, raise no alarm, and lose nothing: verify by %s", async (verify) => {
    await using test = await emulated({ propagation: { keyMs: { min: 0, max: 150 }, aliasMs: { min: 0, max: 150 } } });
    const rotations: RotationEvent[] = [];
    const drifts: DriftEvent[] = [];
    const observer = {
      onRotation: (event: RotationEvent) => void rotations.push(event),
      onDrift: (event: DriftEvent) => void drifts.push(event),
    };
    const runtime = test.open("admin", { verify, graceVersions: 2, observer });
    const signing = keyRef("ecdsa-p256");
    const aes = keyRef("aes-256-gcm");
    for (const key of [signing, aes]) await runtime.probe(key, context());

    let running = true;
    const workers = Array.from({ length: 4 }, async () => {
      const signatures: Uint8Array[] = [];
      const envelopes: Parameters<typeof runtime.transit.decrypt>[1][] = [];
      while (running) {
        const [{ signature }, { envelope }] = await Promise.all([
          runtime.transit.sign(signing, message, context()),
          runtime.transit.encrypt(aes, message, undefined, context()),
        ]);
        signatures.push(signature);
        envelopes.push(envelope);
        await expect(runtime.transit.verify(signing, message, signature, context())).resolves.toMatchObject({
          valid: true,
        });
        await expect(runtime.transit.decrypt(aes, envelope, undefined, context())).resolves.toMatchObject({
          plaintext: message,
        });
      }
      return { signatures, envelopes };
    });
    const rotator = test.open("rotator", { rotation: true });
    test.setPolicy("rotator", {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }],
    });
    const rotated = (async () => {
      for (const round of [2, 3]) {
        const both = [signing, aes].map((key) => rotator.transit.rotate?.(key, context()));
        for (const done of await Promise.all(both)) expect(done?.keyVersion).toBe(round);
      }
    })().finally(() => {
      running = false;
    });
    const [done] = await Promise.all([Promise.all(workers), rotated]);

    for (const { signatures, envelopes } of done) {
      expect(signatures.length).toBeGreaterThan(5);
      const last = signatures.length - 1;
      for (const i of [0, Math.floor(last / 2), last]) {
        await expect(runtime.transit.verify(signing, message, signatures[i]!, context())).resolves.toMatchObject({
          valid: true,
        });
        await expect(runtime.transit.decrypt(aes, envelopes[i]!, undefined, context())).resolves.toMatchObject({
          plaintext: message,
        });
      }
    }
    expect(drifts).toEqual([]);
    expect(rotations.map(({ key, version }) => `${key} ${version}`).toSorted()).toEqual(
      [signing, aes].flatMap(({ name }) => [`${name} 2`, `${name} 3`]).toSorted(),
    );
  });
});
