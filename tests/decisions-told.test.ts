import { type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKms } from "@basil/backend-aws-kms";
import { type AuditRecord, type Broker, type Caller, createBroker } from "@basil/broker";
import { parseCatalog } from "@basil/catalog";
import { parsePolicy } from "@basil/policy";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

/** What a caller and the audit log are told of a decision. Section numbers are those docs/differences.md uses. */

const key = (name: string, more: object = {}) => ({
  class: "asymmetric",
  keyType: "ecdsa-p256",
  backend: "kms",
  path: `alias/${name}`,
  writable: false,
  description: "a key",
  ...more,
});
const symmetric = { class: "symmetric", keyType: "aes-256-gcm" };
const catalog = parseCatalog(
  JSON.stringify({
    schemaVersion: 1,
    backends: { kms: { kind: "aws-kms", addr: "", engines: ["transit"], mintKeyTypes: ["ecdsa-p256"] } },
    keys: {
      "app.aead": key("aead", symmetric),
      "app.issuer": key("issuer", { labels: ["svid_kind=jwt"] }),
      "app.new": key("new", { writable: true, missing: "warn" }),
      "app.signer": key("signer"),
      "app.other": key("other"),
    },
  }),
);
const operations = ["sign", "verify", "get_public_key", "encrypt", "decrypt", "new_key"];
const policy = parsePolicy(
  JSON.stringify({
    unauthenticatedSubject: "guest",
    subjects: {
      app: { allOf: [{ kind: "unix", uid: 1001 }] },
      group: { allOf: [{ kind: "unix", gid: 200 }] },
      guest: { anyOf: [{ kind: "unauthenticated" }] },
    },
    rules: [
      {
        id: "app",
        subjects: ["app"],
        action: operations.map((operation) => `op:${operation}`),
        target: ["app.aead", "app.issuer", "app.new", "app.signer"],
      },
      { id: "guest", subjects: ["guest"], action: ["op:encrypt", "op:sign"], target: ["app.aead", "app.signer"] },
    ],
    config: { names: { users: { 1001: "web" } }, memberships: { 1002: [200], 1001: [] } },
  }),
);

let emulator: KmsEmulator;
let broker: Broker;
const records: AuditRecord[] = [];
beforeAll(async () => {
  const spec = "ECC_NIST_P256" as const;
  emulator = await startKmsEmulator({
    keys: [
      { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/aead"] },
      ...["issuer", "signer", "other"].map((name) => ({ spec, aliases: [`alias/${name}`] })),
    ],
  });
  vi.stubEnv("AWS_ACCESS_KEY_ID", emulator.rootCredentials.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", emulator.rootCredentials.secretAccessKey);
  vi.stubEnv("AWS_SESSION_TOKEN", undefined);
  const { region, endpoint } = emulator;
  broker = await createBroker({
    catalog,
    policy,
    backends: [awsKms({ id: "kms", region, endpoint })],
    audit: {
      healthy: true,
      write: async (record) => void records.push(record),
      [Symbol.asyncDispose]: async () => undefined,
    },
    version: "0.0.0",
  });
});
afterAll(async () => {
  await broker?.close(0);
  await emulator?.close();
  vi.unstubAllEnvs();
});
beforeEach(() => {
  records.length = 0;
  emulator.clearCalls();
});

const unix = (uid: number): Caller => broker.as({ kind: "unix", uid, gid: uid, groups: [], pid: null });
const nobody = (): Caller => broker.as({ kind: "unauthenticated" });
const message = new Uint8Array([1, 2, 3]);
const refused = { code: "UNAUTHORIZED", message: "not authorized" };

describe("a denial (§2.12)", () => {
  it.for([
    ["unknown_key", "app.none", "sign"],
    ["not_permitted", "app.other", "sign"],
    ["issuer_raw_sign", "app.issuer", "sign"],
    ["not_writable", "app.signer", "new_key"],
  ] as const)(
    "%s: the caller is told the same, the audit log why, and KMS is not asked",
    async ([reason, name, op]) => {
      const call = op === "sign" ? unix(1001).sign(name, message) : unix(1001).newKey(name, "ecdsa-p256");
      await expect(call).rejects.toMatchObject(refused);
      expect(records).toMatchObject([
        { op, target_id: name, decision: "deny", outcome: "deny", reason, actor_id: "app" },
      ]);
      expect(emulator.calls).toEqual([]);
    },
  );

  it("a caller that is no subject, and one that is two (§2.4)", async () => {
    const group = parsePolicy(
      JSON.stringify({
        subjects: { app: { allOf: [{ kind: "unix", uid: 1001 }] }, group: { allOf: [{ kind: "unix", gid: 200 }] } },
        config: { memberships: { 1001: [200] } },
      }),
    );
    await expect(unix(4242).sign("app.signer", message)).rejects.toMatchObject(refused);
    await using other = await createBroker({
      catalog,
      policy: group,
      backends: [awsKms({ id: "kms", region: emulator.region, endpoint: emulator.endpoint })],
      audit: {
        healthy: true,
        write: async (record) => void records.push(record),
        [Symbol.asyncDispose]: async () => undefined,
      },
      version: "0.0.0",
    });
    const ambiguous = other.as({ kind: "unix", uid: 1001, gid: 1001, groups: [], pid: null });
    await expect(ambiguous.sign("app.signer", message)).rejects.toMatchObject(refused);
    expect(records.map(({ reason, actor_id }) => [reason, actor_id])).toEqual([
      ["no_actor_subject:4242", "unresolved"],
      ["ambiguous_actor_subject:1001", "unresolved"],
    ]);
  });
});

describe("an allowance (§2.12)", () => {
  it("is recorded with the subject, the proof, the name of the uid and the generation", async () => {
    await unix(1001).sign("app.signer", message);
    expect(records).toMatchObject([
      {
        generation: 1,
        op: "sign",
        target_kind: "catalog_key",
        target_id: "app.signer",
        actor_kind: "subject",
        actor_id: "app",
        authenticated_by: ["unix_peercred:app"],
        presenter_kind: "unix_peercred",
        presenter_id: "web(1001)",
        decision: "allow",
        reason: "subject:app",
        result: "ok",
      },
    ]);
  });

  it("names the unauthenticated subject where the connection has no uid (§2.4)", async () => {
    await nobody().encrypt("app.aead", message);
    expect(records).toMatchObject([
      {
        actor_id: "guest",
        authenticated_by: ["unauthenticated:guest"],
        presenter_kind: "none",
        reason: "subject:guest",
      },
    ]);
  });
});

describe("which request an operation allows (§2.7)", () => {
  it("records sign, verify, get_public_key, encrypt, decrypt and new_key by these names", async () => {
    const app = unix(1001);
    const signature = await app.sign("app.signer", message);
    await app.verify("app.signer", message, signature);
    await app.publicKey("app.signer");
    await app.decrypt("app.aead", await app.encrypt("app.aead", message));
    await app.newKey("app.new", "ecdsa-p256");
    expect(records.map(({ op, reason }) => [op, reason])).toEqual(
      operations.map((operation) => [operation, "subject:app"]),
    );
  });

  it("asks sign for a uid besides the grant", async () => {
    await expect(nobody().sign("app.signer", message)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(emulator.calls).toEqual([]);
  });

  it.for([
    ["sign with a symmetric key", (app: Caller) => app.sign("app.aead", message)],
    ["verify with a symmetric key", (app: Caller) => app.verify("app.aead", message, new Uint8Array(64))],
    ["encrypt with a signing key", (app: Caller) => app.encrypt("app.signer", message)],
  ] as const)("does not look at the class: it allows %s, which is then an invalid request", async ([, call]) => {
    await expect(call(unix(1001))).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    expect(records).toMatchObject([{ decision: "allow", reason: "subject:app", result: "INVALID_REQUEST" }]);
    expect(emulator.calls).toEqual([]);
  });

  it("lists to a subject, shows nothing to anybody else, and status needs a subject (§2.7)", async () => {
    expect((await unix(1001).list()).map(({ name }) => name)).toEqual([
      "app.aead",
      "app.issuer",
      "app.new",
      "app.signer",
    ]);
    expect(await unix(4242).list()).toEqual([]);
    await expect(unix(4242).status()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(await unix(4242).health()).toMatchObject({ alive: true });
  });
});
