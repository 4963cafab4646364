import { describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { FakeKms, kmsFailure } from "../test/fake-kms.js";
import { listKeysOver } from "./list-keys.js";

const ALIAS = "alias/basil/k";
const key = { name: "k", path: ALIAS, keyType: "ed25519" } as const;
const list = (kms: FakeKms, ...keys: readonly (typeof key)[]) =>
  listKeysOver(kms, { region: "us-east-1" }, keys.length > 0 ? keys : [key], context());

describe("listAwsKmsKeys", () => {
  it("finds versions by their aliases, oldest first, and marks the current one", async () => {
    const kms = new FakeKms();
    const first = kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", `${ALIAS}/v1`);
    const second = kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ALIAS);
    kms.aliases.set(`${ALIAS}/v2`, second.id);
    const { keys, allAliases } = await list(kms);
    expect(allAliases).toBe(true);
    expect(keys).toMatchObject([
      {
        key: "k",
        outcome: "present",
        versions: [
          { version: 1, current: false, arn: first.arn, aliases: [`${ALIAS}/v1`] },
          { version: 2, current: true, arn: second.arn, aliases: [ALIAS, `${ALIAS}/v2`] },
        ],
      },
    ]);
    expect(kms.closed).toBe(true);
  });

  it("reads every page of aliases, and sorts them", async () => {
    const kms = new FakeKms();
    const { id } = kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ALIAS);
    for (let at = 0; at < 250; at += 1) kms.aliases.set(`alias/other/${at}`, id);
    const [listed] = (await list(kms)).keys;
    const { aliases = [] } = listed?.versions[0] ?? {};
    expect(aliases).toHaveLength(251);
    expect(aliases).toEqual([...aliases].sort());
    expect(kms.count("ListAliases")).toBe(3);
  });

  it("passes over a version that it may not see, three in a row at most", async () => {
    const kms = new FakeKms();
    kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ALIAS);
    for (const version of [1, 2, 3, 4, 5])
      kms.aliases.set(`${ALIAS}/v${version}`, kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY").id);
    const unseen = (from: number) => {
      kms.before = (action, { KeyId }) => {
        const [, version] = /\/v(\d)$/.exec(String(KeyId)) ?? [];
        if (action === "DescribeKey" && Number(version) >= from && Number(version) < 5)
          throw kmsFailure("AccessDeniedException");
      };
    };
    unseen(4);
    const versions = async () => (await list(kms)).keys[0]?.versions.map(({ version }) => version);
    const hidden = async () => (await list(kms)).keys[0]?.hidden;
    expect(await versions()).toEqual([1, 2, 3, 5, undefined]);
    expect(await hidden()).toEqual([4]);
    unseen(1);
    expect(await versions()).toEqual([1]);
    expect(await hidden()).toEqual([1, 2, 3]);
  });

  it("counts a key once, as the last version that leads to it", async () => {
    const kms = new FakeKms();
    const second = kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", `${ALIAS}/v2`);
    kms.aliases.set(`${ALIAS}/v1`, second.id);
    const third = kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ALIAS);
    kms.aliases.set(`${ALIAS}/v3`, third.id);
    expect((await list(kms)).keys[0]?.versions).toMatchObject([
      { version: 2, current: false, arn: second.arn, aliases: [`${ALIAS}/v1`, `${ALIAS}/v2`] },
      { version: 3, current: true, arn: third.arn },
    ]);
  });

  it("calls none hidden of which AWS does not tell whether it is there", async () => {
    const kms = new FakeKms();
    kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ALIAS);
    const unsaid = "is not authorized on this resource because the resource does not exist in this Region, no";
    kms.before = (action, { KeyId }) => {
      if (action === "DescribeKey" && String(KeyId).includes("/v")) throw kmsFailure("AccessDeniedException", unsaid);
    };
    expect((await list(kms)).keys).toMatchObject([{ versions: [{ version: 1 }], hidden: [] }]);
  });

  it("lists the aliases that it asked for, and no others, when no others are wanted", async () => {
    const kms = new FakeKms();
    const { id } = kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ALIAS);
    kms.aliases.set("alias/other", id);
    const { keys, allAliases } = await listKeysOver(kms, { region: "us-east-1" }, [key], context(), {
      allAliases: false,
    });
    expect(allAliases).toBe(false);
    expect(keys[0]?.versions[0]?.aliases).toEqual([ALIAS]);
    expect(kms.count("ListAliases")).toBe(0);
  });

  it("asks for aliases no more once that is denied", async () => {
    const kms = new FakeKms();
    kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ALIAS);
    kms.before = (action) => {
      if (action === "ListAliases") throw kmsFailure("AccessDeniedException");
    };
    const { allAliases, keys } = await list(kms, key, key);
    expect(allAliases).toBe(false);
    expect(keys[1]?.versions[0]?.aliases).toEqual([ALIAS]);
    expect(kms.count("ListAliases")).toBe(1);
  });

  it("fails as a whole when KMS does not answer", async () => {
    const kms = new FakeKms();
    kms.before = () => {
      throw kmsFailure("KMSInternalException");
    };
    await expect(list(kms)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(kms.closed).toBe(true);
  });
});
