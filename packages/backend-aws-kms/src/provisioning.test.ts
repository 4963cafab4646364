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
import type { AwsKmsOptions } from "./options.js";

const ALIAS = "alias/basil/new";
const key: KeyRef = { name: "jwt.signing", path: ALIAS, keyType: "ed25519" };
const aes: KeyRef = { ...key, keyType: "aes-256-gcm" };

let folder: string;
let journalFile: string;
let abandoned: AbortController;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provisioning-"));
  journalFile = join(folder, "journal");
  abandoned = new AbortController();
});
afterEach(async () => {
  abandoned.abort();
  await rm(folder, { recursive: true });
});

function open(kms = new FakeKms(), options: Partial<AwsKmsOptions> = {}) {
  const logger = recordingLogger();
  const { transit } = awsKmsOver(kms, { id: "kms", propagationTimeoutMs: 1000, logger, runId: "run-1", ...options });
  if (!transit) throw new Error("no transit engine");
  return { kms, transit, logger };
}

const deny =
  (...denied: string[]) =>
  (action: string) => {
    if (denied.includes(action)) throw kmsFailure("AccessDeniedException", `not authorized to perform: kms:${action}`);
  };

describe("createKey", () => {
  it("makes the key and its alias, and reads the public half back", async () => {
    const { kms, transit } = open();
    const created = await transit.createKey(key, context());
    expect(created).toMatchObject({ keyVersion: 1, resource: expect.stringMatching(/^arn:aws:kms:/) });
    await expect(transit.publicKey(key, context())).resolves.toMatchObject({ publicKey: created.publicKey });
    expect(kms.requests.map(({ action }) => action)).toEqual([
      "DescribeKey",
      "CreateKey",
      "CreateAlias",
      "DescribeKey",
      "GetPublicKey",
      "DescribeKey",
    ]);
  });

  it("makes a symmetric key that encrypts as soon as it returns, and has no public half", async () => {
    const { kms, transit } = open();
    const created = await transit.createKey(aes, context());
    expect(created).not.toHaveProperty("publicKey");
    expect(kms.count("GetPublicKey")).toBe(0);
    await expect(transit.encrypt(aes, new Uint8Array(1), undefined, context())).resolves.toMatchObject({
      resource: created.resource,
    });
  });

  it("makes the alias of a logical name", async () => {
    const { kms, transit } = open();
    await transit.createKey({ ...key, path: "jwt.signing.primary" }, context());
    expect([...kms.aliases.keys()]).toEqual(["alias/basil/jwt_signing_primary-l7RAwt7aXNck"]);
  });

  it("names the key, its path and the run in the Description, and sends tags only when there are some", async () => {
    const untagged = open();
    await untagged.transit.createKey(key, context());
    const [first] = untagged.kms.requests.filter(({ action }) => action === "CreateKey");
    for (const part of [key.name, key.path, "run-1"]) expect(first?.input.Description).toContain(part);
    expect(first?.input).not.toHaveProperty("Tags");
    const tagged = open(new FakeKms(), { tags: { team: "payments" } });
    await tagged.transit.createKey(key, context());
    const [second] = tagged.kms.requests.filter(({ action }) => action === "CreateKey");
    expect(second?.input.Tags).toEqual([{ TagKey: "team", TagValue: "payments" }]);
  });

  it.for([
    "arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab",
    "1111abcd-12ab-34cd-56ef-1234567890ab",
    "mrk-1234abcd12ab34cd56ef1234567890ab",
    "alias/aws/kms",
    `alias/${"a".repeat(251)}`,
    "alias/with.dot",
  ])("refuses path %s before any call", async (path) => {
    const { kms, transit } = open();
    await expect(transit.createKey({ ...key, path }, context())).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    expect(kms.requests).toEqual([]);
  });

  it("refuses an alias that is there, without making a key", async () => {
    const { kms, transit } = open();
    kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ALIAS);
    await expect(transit.createKey(key, context())).rejects.toMatchObject({ code: "KEY_EXISTS" });
    expect(kms.count("CreateKey")).toBe(0);
  });

  it("ends a race for one alias with one key in use and the other one reported", async () => {
    const { kms, transit, logger } = open();
    const [won, lost] = await Promise.allSettled([
      transit.createKey(key, context()),
      transit.createKey(key, context()),
    ]);
    const outcomes = [won, lost].map((outcome) => outcome.status);
    expect(outcomes.toSorted()).toEqual(["fulfilled", "rejected"]);
    const inUse = kms.aliases.get(ALIAS);
    const orphan = [...kms.keys.values()].find(({ id }) => id !== inUse)?.arn;
    const failure = [won, lost].find((outcome) => outcome.status === "rejected");
    expect(failure).toMatchObject({ reason: { code: "KEY_EXISTS", message: expect.stringContaining(orphan ?? "?") } });
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: "warn", fields: expect.objectContaining({ arn: orphan }) }),
    );
  });

  it("waits until the key and the alias are seen", async () => {
    const { kms, transit } = open();
    const lag = new Map([
      ["CreateAlias", 2],
      ["GetPublicKey", 1],
    ]);
    let created = false;
    kms.before = (action) => {
      created ||= action === "CreateKey";
      const left = lag.get(action) ?? 0;
      lag.set(action, left - 1);
      if (created && left > 0) throw kmsFailure("NotFoundException", "not yet");
    };
    await expect(transit.createKey(key, context())).resolves.toMatchObject({ keyVersion: 1 });
    expect(kms.count("CreateKey")).toBe(1);
  });

  it("names the key when its alias cannot be made", async () => {
    const { kms, transit } = open();
    kms.before = deny("CreateAlias");
    const failure = transit.createKey(key, context());
    await expect(failure).rejects.toMatchObject({ code: "ACCESS_DENIED", details: { action: "kms:CreateAlias" } });
    await expect(failure).rejects.toThrow([...kms.keys.values()][0]?.arn);
  });

  it("takes the alias for its own when the answer to a first CreateAlias was lost", async () => {
    const { kms, transit } = open();
    kms.after = (action) => {
      if (action === "CreateAlias") {
        kms.after = () => {};
        throw kmsFailure("AlreadyExistsException", "the retry of a request that was carried out");
      }
    };
    await expect(transit.createKey(key, context())).resolves.toMatchObject({ keyVersion: 1 });
  });
});

describe("createKey whose answer is lost", () => {
  const lost = () => Object.assign(new Error("reset"), { code: "ECONNRESET", requestSent: true });

  it("reports the Description to look for, to an identity that may not ListKeys", async () => {
    const { kms, transit, logger } = open();
    kms.before = deny("ListKeys");
    kms.after = (action) => {
      if (action === "CreateKey") throw lost();
    };
    const [made] = [...kms.keys.values()];
    expect(made).toBeUndefined();
    const failure = await transit.createKey(key, context()).catch((error: unknown) => error);
    const description = [...kms.keys.values()][0]?.description ?? "?";
    expect(failure).toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining(description) });
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: "error", fields: expect.objectContaining({ description }) }),
    );
    expect(kms.count("CreateKey")).toBe(1);
  });

  it("finds the key by itself for an identity that may", async () => {
    const { kms, transit } = open();
    for (let i = 0; i < 30; i += 1) kms.create("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    kms.after = (action) => {
      if (action === "CreateKey") throw lost();
    };
    const { resource } = await transit.createKey(key, context());
    expect(kms.count("CreateKey")).toBe(1);
    expect(kms.keys.get(kms.aliases.get(ALIAS) ?? "")?.arn).toBe(resource);
  });

  it.for([
    ["a refusal", kmsFailure("AccessDeniedException")],
    ["a throttle", kmsFailure("ThrottlingException")],
    [
      "a connection that was never made",
      Object.assign(new Error("refused"), { code: "ECONNREFUSED", requestSent: false }),
    ],
  ] as const)("is not what happened after %s", async ([, failure]) => {
    const { kms, transit } = open();
    kms.before = (action) => {
      if (action === "CreateKey") throw failure;
    };
    await expect(transit.createKey(key, context())).rejects.not.toThrow(/Description/);
    expect(kms.count("ListKeys")).toBe(0);
  });

  it("is reported when the caller leaves meanwhile", async () => {
    const { kms, transit } = open();
    const caller = new AbortController();
    kms.after = (action, _, signal) => {
      if (action !== "CreateKey") return;
      caller.abort();
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    await expect(transit.createKey(key, context({ signal: caller.signal }))).rejects.toMatchObject({
      code: "CANCELLED",
      message: expect.stringContaining("look for the Description"),
    });
  });
});

const begin = (kms: FakeKms) => () => {
  const { transit } = open(kms, { journalFile, operationTimeoutMs: 60_000 });
  return transit.createKey(key, context({ signal: abandoned.signal }));
};

describe("createKey after a kill", () => {
  it("goes on from every boundary with a journal: one key, one alias", async () => {
    let boundaries = 0;
    for (const when of ["before", "after"] as const) {
      for (let n = 1; ; n += 1) {
        const kms = new FakeKms();
        journalFile += "x";
        if (!(await killedAt(kms, when, n, begin(kms)))) break;
        boundaries += 1;
        const { transit } = open(kms, { journalFile });
        // The alias is there: the next start finds the key by its probe and creates nothing.
        if (kms.aliases.has(ALIAS) && kms.requests.at(-1)?.action !== "CreateAlias") continue;
        await transit.createKey(key, context());
        expect(kms.keys.size, `killed ${when} request ${n}`).toBe(1);
        expect([...kms.aliases]).toEqual([[ALIAS, [...kms.keys.keys()][0]]]);
      }
    }
    expect(boundaries).toBeGreaterThanOrEqual(10);
  });

  it("in CreateKey reports the Description to an identity that may not ListKeys, and makes a new key", async () => {
    const kms = new FakeKms();
    await killedAt(kms, "after", 1, begin(kms));
    const description = [...kms.keys.values()][0]?.description;
    kms.before = deny("ListKeys");
    const { transit, logger } = open(kms, { journalFile });
    await transit.createKey(key, context());
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: "warn", fields: expect.objectContaining({ description }) }),
    );
    expect(kms.keys.size).toBe(2);
  });

  it("does not take over a key that was disabled meanwhile, and says so", async () => {
    const kms = new FakeKms();
    await killedAt(kms, "before", 3, begin(kms));
    const [left] = [...kms.keys.values()];
    if (left) left.state = "Disabled";
    const { transit, logger } = open(kms, { journalFile });
    const { resource } = await transit.createKey(key, context());
    expect(resource).not.toBe(left?.arn);
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: "warn", fields: expect.objectContaining({ arn: left?.arn }) }),
    );
  });
});
