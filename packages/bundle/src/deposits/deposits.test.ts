import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  allowContributor,
  createBundle,
  DEPOSIT_STATUSES,
  deposit,
  depositTarget,
  disallowContributor,
  dropDeposits,
  makeDeposit,
  openBundle,
  passphraseSlot,
  promoteDeposits,
  publicTokenOf,
  rekey,
  setBackend,
} from "../index.js";
import { LIMITS } from "../limits.js";
import { decodeToken, encodeToken } from "../token.js";
import { type DepositRecord, encodeDepositRecord, signedBytes } from "./deposit-record.js";
import { ed25519Sign } from "./ed25519.js";
import { sealCredential } from "./sealed-credential.js";

const unlock = [passphraseSlot(new TextEncoder().encode("right"), { logN: 8 })];
const kms = (region: string, id = "kms") => ({ id, kind: "aws-kms", credential: { region } });

let folder: string;
let path: string;
let seed: Uint8Array;
let recipient: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-deposits-"));
  path = join(folder, "creds.sealed");
  seed = new Uint8Array(randomBytes(32));
  await createBundle(path, { slots: unlock.map((provider) => ({ provider })), backends: [kms("us-east-1")] });
  recipient = (await allow(seed, "ops", ["kms", "kms2"])).recipient;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const allow = async (by: Uint8Array, id: string, backends: string[]) =>
  (await allowContributor(path, { publicKey: publicTokenOf(by), id, backends }, { unlock })).result;
const give = (region: string, options: { id?: string; by?: Uint8Array; as?: string; sequence?: number } = {}) =>
  deposit(path, kms(region, options.id), {
    recipient,
    seed: options.by ?? seed,
    contributorId: options.as ?? "ops",
    ...(options.sequence !== undefined && { sequence: options.sequence }),
  });
const open = () => openBundle(path, { unlock });
const statuses = async () => {
  await using opened = await open();
  return opened.deposits.map(({ status }) => status);
};
/** Puts a record beside the bundle that the library would not make. */
const forge = async (change: (record: DepositRecord) => Promise<DepositRecord> | DepositRecord, resign = true) => {
  const target = await depositTarget(path, { recipient });
  const { record } = await makeDeposit(target, kms("eu-west-1"), {
    recipient,
    seed,
    contributorId: "ops",
    sequence: 1,
  });
  const changed = await change(record);
  const signature = resign ? encodeToken(ed25519Sign(seed, signedBytes(changed))) : changed.signature;
  await mkdir(`${path}.deposits`, { recursive: true });
  await writeFile(
    join(`${path}.deposits`, `${randomBytes(4).toString("hex")}.deposit`),
    encodeDepositRecord({ ...changed, signature }),
  );
};

describe("deposit", () => {
  it("takes effect when the bundle is opened, without having opened it", async () => {
    await give("eu-west-1");
    await using opened = await open();
    expect(opened.backends.get("kms")?.credential).toEqual({ region: "eu-west-1" });
    expect(opened.deposits).toMatchObject([
      { status: "effective", action: "replace", record: { backend: "kms", sequence: 1 } },
    ]);
    await using sealed = await openBundle(path, { unlock, deposits: "ignore" });
    expect(sealed.backends.get("kms")?.credential).toEqual({ region: "us-east-1" });
  });

  it("tells its maker the fingerprint that a review shows", async () => {
    const { fingerprint } = await give("eu-west-1");
    await using opened = await open();
    expect(opened.deposits[0]?.fingerprint).toBe(fingerprint);
  });

  it("counts sequences per contributor and backend, and unsigned records do not move them", async () => {
    expect((await give("eu-west-1")).record.sequence).toBe(1);
    expect((await give("eu-west-2")).record.sequence).toBe(2);
    expect((await give("eu-west-2", { id: "kms2" })).record.sequence).toBe(1);
    await forge((record) => ({ ...record, sequence: LIMITS.counter }), false);
    expect((await give("eu-west-3")).record.sequence).toBe(3);
  });

  it("stays valid when the bundle moves on", async () => {
    await give("eu-west-1");
    await setBackend(path, kms("us-west-2", "other"), { unlock });
    expect(await statuses()).toEqual(["effective"]);
  });

  it("refuses the recipient of another bundle, and a bundle without deposit key", async () => {
    const other = join(folder, "other.sealed");
    await createBundle(other, { slots: unlock.map((provider) => ({ provider })) });
    await expect(depositTarget(other, { recipient })).rejects.toMatchObject({ code: "NO_DEPOSIT_KEY" });
    await expect(depositTarget(path, { recipient: encodeToken(randomBytes(32)) })).rejects.toMatchObject({
      code: "KEY_INVALID",
    });
  });
});

describe("a deposit review", () => {
  const cases: Record<(typeof DEPOSIT_STATUSES)[number], () => Promise<unknown>> = {
    "missing-ingest-identity": async () => {
      await give("eu-west-1");
      await createBundle(path, { slots: unlock.map((provider) => ({ provider })), force: true });
    },
    "log-too-large": async () => {
      await mkdir(`${path}.deposits`);
      const names = Array.from(
        { length: LIMITS.deposits + 1 },
        (_, index) => `${String(index).padStart(6, "0")}.deposit`,
      );
      for (const name of names) await writeFile(join(`${path}.deposits`, name), "");
    },
    malformed: async () => {
      await mkdir(`${path}.deposits`);
      await writeFile(join(`${path}.deposits`, "a.deposit"), "{}");
    },
    "wrong-bundle": () => forge((record) => ({ ...record, bundleId: encodeToken(new Uint8Array(16)) })),
    "stale-epoch": () => forge((record) => ({ ...record, epoch: record.epoch + 1 })),
    "unauthorized-contributor": () => give("eu-west-1", { as: "nobody" }),
    "unauthorized-backend": () => give("eu-west-1", { id: "vault" }),
    "bad-signature": () => give("eu-west-1", { by: new Uint8Array(randomBytes(32)) }),
    "decrypt-failed": () => forge((record) => ({ ...record, sequence: record.sequence + 1 })),
    "decode-failed": () =>
      forge(async (record) => {
        const json = new TextEncoder().encode("{");
        const sealed = await sealCredential(decodeToken(recipient) as Uint8Array, record, { kind: "aws-kms", json });
        return { ...record, sealed: encodeToken(sealed) };
      }),
    replayed: async () => {
      await give("eu-west-1");
      await cp(`${path}.deposits`, join(folder, "kept"), { recursive: true });
      await promoteDeposits(path, { unlock });
      await cp(join(folder, "kept"), `${path}.deposits`, { recursive: true });
    },
    superseded: async () => {
      await give("eu-west-1");
      await give("eu-west-2");
    },
    effective: () => give("eu-west-1"),
  };

  it.each(DEPOSIT_STATUSES)("says %s by name, and only an effective one counts", async (status) => {
    await cases[status]();
    await using opened = await open();
    const found = opened.deposits.map((review) => review.status);
    expect(found).toContain(status);
    const changed = JSON.stringify(opened.backends.get("kms")?.credential) !== '{"region":"us-east-1"}';
    expect(changed).toBe(found.includes("effective") || status === "replayed" || status === "missing-ingest-identity");
  });

  it("is not stopped by a record that cannot be read, such as a link or a folder", async () => {
    await give("eu-west-1");
    await symlink(path, join(`${path}.deposits`, "link.deposit"));
    await mkdir(join(`${path}.deposits`, "folder.deposit"));
    expect(await statuses()).toEqual(["effective", "malformed", "malformed"]);
  });

  it("refuses a replay after the contributor was taken off and allowed again", async () => {
    await cases.replayed();
    await disallowContributor(path, "ops", { unlock });
    expect(await statuses()).toEqual(["unauthorized-contributor"]);
    await allow(seed, "ops", ["kms"]);
    expect(await statuses()).toEqual(["replayed"]);
  });
});

describe("allowContributor", () => {
  it("replaces what was allowed under the id, and keeps the recipient", async () => {
    const again = await allow(seed, "ops", ["kms2"]);
    expect(again.recipient).toBe(recipient);
    await give("eu-west-1");
    expect(await statuses()).toEqual(["unauthorized-backend"]);
  });

  it("gives a backend to one contributor only", async () => {
    await expect(allow(new Uint8Array(randomBytes(32)), "dev", ["kms"])).rejects.toMatchObject({
      code: "BACKEND_TAKEN",
      details: { backendId: "kms", contributorId: "ops" },
    });
  });

  it("refuses a public key that is no token of 32 bytes", async () => {
    const input = { publicKey: "AAAA", backends: ["kms"] };
    await expect(allowContributor(path, input, { unlock })).rejects.toMatchObject({ code: "KEY_INVALID" });
  });
});

describe("promoteDeposits", () => {
  const records = () => readdir(`${path}.deposits`);

  it("seals what is effective, removes those records and raises the epoch once", async () => {
    await give("eu-west-1");
    await give("eu-west-2");
    const before = (await statuses()).length;
    const { result, epoch } = await promoteDeposits(path, { unlock });
    expect({ before, promoted: result.promoted, epoch }).toEqual({ before: 2, promoted: ["kms"], epoch: 3 });
    expect(await records()).toEqual([]);
    await using opened = await openBundle(path, { unlock, deposits: "ignore" });
    expect(opened.backends.get("kms")?.credential).toEqual({ region: "eu-west-2" });
  });

  it("changes nothing in a dry run", async () => {
    await give("eu-west-1");
    const file = await readFile(path);
    const { result, written } = await promoteDeposits(path, { unlock, dryRun: true });
    expect({ promoted: result.promoted, written }).toEqual({ promoted: ["kms"], written: false });
    expect(await readFile(path)).toEqual(file);
    expect(await records()).toHaveLength(1);
  });

  it("keeps what a filter leaves out valid", async () => {
    await give("eu-west-1");
    await give("eu-west-2", { id: "kms2" });
    expect((await promoteDeposits(path, { unlock, backends: ["kms2"] })).result.promoted).toEqual(["kms2"]);
    expect((await promoteDeposits(path, { unlock, contributors: ["somebody"] })).result.promoted).toEqual([]);
    expect(await statuses()).toEqual(["effective"]);
  });

  it("leaves rejected records unless told to prune them", async () => {
    await give("eu-west-1", { by: new Uint8Array(randomBytes(32)) });
    expect((await promoteDeposits(path, { unlock })).written).toBe(false);
    expect(await records()).toHaveLength(1);
    await promoteDeposits(path, { unlock, prune: true });
    expect(await records()).toEqual([]);
  });

  it("lets a record be dropped without opening the bundle", async () => {
    await give("eu-west-1");
    await dropDeposits(path, await records());
    expect(await records()).toEqual([]);
    await expect(dropDeposits(path, ["../creds.sealed"])).rejects.toMatchObject({ code: "DEPOSIT_NOT_FOUND" });
  });
});

describe("rekey", () => {
  const file = async () => (await readdir(`${path}.deposits`)).filter((name) => name.endsWith(".deposit"));

  it("makes a new deposit key, so that an old copy opens no later deposit", async () => {
    const old = join(folder, "old.sealed");
    await cp(path, old);
    const { result } = await rekey(path, { unlock });
    expect(result).toMatchObject({ contributors: ["ops"], promoted: [], removed: [] });
    expect(result.recipient).toMatch(/^[\w-]{43}$/);
    expect(result.recipient).not.toBe(recipient);
    recipient = result.recipient as string;
    await give("eu-west-1");
    await cp(`${path}.deposits`, `${old}.deposits`, { recursive: true });
    await using opened = await openBundle(old, { unlock, acceptRollback: true, deposits: "review" });
    expect(opened.deposits.map(({ status }) => status)).not.toContain("effective");
    await using now = await openBundle(path, { unlock });
    expect(now.backends.get("kms")?.credential).toEqual({ region: "eu-west-1" });
  });

  it("leaves an old copy that is raised to the epoch unable to open a later deposit", async () => {
    const old = join(folder, "old.sealed");
    await cp(path, old);
    recipient = (await rekey(path, { unlock })).result.recipient as string;
    await setBackend(old, kms("us-east-2"), { unlock });
    await give("eu-west-1");
    await cp(`${path}.deposits`, `${old}.deposits`, { recursive: true });
    const { result } = await promoteDeposits(old, { unlock });
    expect(result.promoted).toEqual([]);
    expect(result.review.map(({ status }) => status)).toEqual(["decrypt-failed"]);
  });

  it("promotes the deposits that are there before it replaces the key", async () => {
    await give("eu-west-1");
    const { result } = await rekey(path, { unlock });
    expect(result.promoted).toEqual(["kms"]);
    expect(await file()).toEqual([]);
    await using opened = await openBundle(path, { unlock });
    expect(opened.backends.get("kms")?.credential).toEqual({ region: "eu-west-1" });
  });

  it("refuses to lose a deposit that cannot be promoted, and drops it with discardDeposits", async () => {
    await give("eu-west-1");
    await disallowContributor(path, "ops", { unlock });
    const [name] = await file();
    const before = await readFile(path);
    await expect(rekey(path, { unlock })).rejects.toMatchObject({
      code: "DEPOSITS_LEFT",
      details: { deposits: [name] },
    });
    expect(await readFile(path)).toEqual(before);
    const { result } = await rekey(path, { unlock, discardDeposits: true });
    expect(result).toMatchObject({ promoted: [], removed: [name] });
    expect(await file()).toEqual([]);
  });

  it("has a deposit to the old recipient refused by name", async () => {
    const before = recipient;
    const { result } = await rekey(path, { unlock });
    await expect(give("eu-west-1")).rejects.toMatchObject({
      code: "KEY_INVALID",
      message: expect.stringMatching(new RegExp(`${before}.*${result.recipient}`)),
    });
  });

  it("makes no deposit key for a bundle that takes no deposits", async () => {
    const plain = join(folder, "plain.sealed");
    await createBundle(plain, { slots: unlock.map((provider) => ({ provider })), backends: [] });
    expect((await rekey(plain, { unlock })).result.recipient).toBeUndefined();
  });
});
