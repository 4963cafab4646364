import type { KeyRef } from "@basil/core";
import { describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { FakeKms } from "../test/fake-kms.js";
import { killedAt } from "../test/killed-at.js";
import { awsKmsRotatorOver } from "./rotator.js";

const ALIAS = "alias/basil/k";
const key: KeyRef = { name: "k", path: ALIAS, keyType: "ed25519" };

function open(kms = new FakeKms()) {
  if (kms.keys.size === 0) kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ALIAS);
  return { kms, rotator: awsKmsRotatorOver(kms, { propagationTimeoutMs: 500 }) };
}

const targets = (kms: FakeKms) =>
  Object.fromEntries([...kms.aliases].map(([name, id]) => [name, kms.keys.get(id)?.arn]));

describe("awsKmsRotator", () => {
  it("prepares a named and proved key, and leaves the alias where it is", async () => {
    const { kms, rotator } = open();
    const before = targets(kms)[ALIAS];
    const plan = await rotator.prepare(key, context());
    expect(plan).toEqual({
      key: "k",
      alias: ALIAS,
      previousArn: before,
      arn: [...kms.keys.values()][1]?.arn,
      version: 2,
      policyResource: `"${plan.arn}"`,
    });
    expect(targets(kms)).toEqual({ [ALIAS]: before, [`${ALIAS}/v1`]: before, [`${ALIAS}/v2`]: plan.arn });
    expect(kms.requests.filter(({ action }) => action === "Verify").map(({ input }) => input.KeyId)).toEqual([
      plan.arn,
    ]);
  });

  it("finds what it prepared, in another process as well, and prepares it once", async () => {
    const { kms, rotator } = open();
    await expect(rotator.prepared(key, context())).resolves.toBeUndefined();
    const plan = await rotator.prepare(key, context());
    const other = open(kms).rotator;
    await expect(other.prepared(key, context())).resolves.toEqual(plan);
    await expect(other.prepare(key, context())).resolves.toEqual(plan);
    expect(kms.keys.size).toBe(2);
  });

  it("commits what was prepared, after another proof of it, and nothing twice", async () => {
    const { kms, rotator } = open();
    const { arn } = await rotator.prepare(key, context());
    const committer = open(kms).rotator;
    kms.requests.length = 0;
    await expect(committer.commit(key, context())).resolves.toMatchObject({ keyVersion: 2, resource: arn });
    expect(targets(kms)[ALIAS]).toBe(arn);
    const actions = kms.requests.map(({ action }) => action);
    expect(actions.indexOf("Verify")).toBeLessThan(actions.indexOf("UpdateAlias"));
    await expect(committer.commit(key, context())).rejects.toMatchObject({
      code: "KEY_NOT_FOUND",
      message: expect.stringContaining("prepared"),
    });
    expect(kms.keys.size).toBe(2);
  });

  it("commits nothing that was not prepared, and makes nothing", async () => {
    const { kms, rotator } = open();
    await expect(rotator.commit(key, context())).rejects.toMatchObject({ code: "KEY_NOT_FOUND" });
    expect(kms.keys.size).toBe(1);
  });

  it("leaves the alias where it is when the prepared key cannot be used any more", async () => {
    const { kms, rotator } = open();
    const before = targets(kms)[ALIAS];
    await rotator.prepare(key, context());
    const [, prepared] = kms.keys.values();
    if (prepared) prepared.state = "Disabled";
    await expect(rotator.commit(key, context())).rejects.toMatchObject({ code: "KEY_UNUSABLE" });
    expect(targets(kms)[ALIAS]).toBe(before);
  });

  it.for(["before", "after"] as const)(
    "killed in a commit %s any of its requests, leaves the alias at a proved key, and the next commit ends it",
    async (when) => {
      let boundaries = 0;
      for (let n = 1; ; n += 1) {
        const { kms, rotator } = open();
        const { arn, previousArn } = await rotator.prepare(key, context());
        const abandoned = new AbortController();
        const killed = await killedAt(kms, when, n, () =>
          open(kms).rotator.commit(key, context({ signal: abandoned.signal })),
        );
        abandoned.abort();
        if (!killed) break;
        boundaries += 1;
        const next = open(kms).rotator;
        if (targets(kms)[ALIAS] === previousArn) {
          await expect(next.commit(key, context())).resolves.toMatchObject({ keyVersion: 2, resource: arn });
        } else {
          await expect(next.prepared(key, context())).resolves.toBeUndefined();
        }
        expect(targets(kms)[ALIAS]).toBe(arn);
        expect(kms.keys.size).toBe(2);
      }
      expect(boundaries).toBeGreaterThanOrEqual(6);
    },
  );
});
