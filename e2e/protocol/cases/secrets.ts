import { createPrivateKey, X509Certificate } from "node:crypto";
import { expect } from "vitest";
import {
  base64,
  type Case,
  fails,
  fromBase64,
  invalid,
  refusal,
  type Scene,
  tooLarge,
  unsupported,
  zeros,
} from "../case.js";

const GET = "SecretService/GetSecret";
const SET = "SecretService/SetSecret";
const ROTATE = "SecretService/RotateSecret";
const LIST = "SecretService/ListCatalog";
const MIB = 1_048_576;
const unavailable = (op: string) => ({
  code: "UNAVAILABLE",
  reason: "BACKEND_UNAVAILABLE",
  op,
  message: "backend unavailable",
  retry: "1500",
});
const notFound = { code: "INTERNAL", reason: "INTERNAL", op: "get_secret", message: "key not found in its backend" };

interface Version {
  readonly version: number;
}

async function read(scene: Scene, secretId: string): Promise<string> {
  const { value } = await scene.answer("store", GET, { secretId });
  return Buffer.from(fromBase64(value!)).toString();
}

async function rotated(scene: Scene, secretId: string): Promise<string> {
  await scene.answer("store", ROTATE, { secretId });
  return read(scene, secretId);
}

const values: readonly Case[] = [
  {
    id: "secrets.versions",
    run: async (scene) => {
      const secretId = "app.password";
      const first = await scene.answer<Version>("store", SET, { secretId, value: base64("one") });
      const second = await scene.answer<Version>("store", SET, { secretId, value: base64("two") });
      expect(second.version).toBe(first.version + 1);
      expect(await scene.answer("store", GET, { secretId })).toEqual({ value: base64("two"), ...second });
      const asked = { secretId, version: first.version };
      expect(await scene.answer("store", GET, asked)).toEqual({ value: base64("one"), ...first });
    },
  },
  {
    id: "set-secret.at-cap",
    run: async (scene) => {
      await scene.answer("store", SET, { secretId: "app.password", value: zeros(MIB) });
    },
  },
  fails(
    "set-secret.order.size-before-class",
    "store",
    SET,
    { secretId: "app.sealing", value: zeros(MIB + 1) },
    tooLarge("set_secret", "value: 1048577 bytes, at most 1048576 are allowed"),
  ),
  fails(
    "set-secret.class",
    "kms",
    SET,
    { secretId: "app.writable", value: base64("x") },
    invalid("set_secret", "key app.writable is of class asymmetric, this needs class value"),
  ),
  fails("set-secret.backend-unavailable", "outage", SET, { secretId: "app.password" }, unavailable("set_secret")),
  fails("get-secret.unset", "store", GET, { secretId: "app.unset" }, notFound),
  fails("get-secret.unknown-version", "store", GET, { secretId: "app.password", version: 4_000_000_000 }, notFound),
  fails(
    "get-secret.class",
    "kms",
    GET,
    { secretId: "app.p256" },
    invalid("get_secret", "key app.p256 is of class asymmetric, this needs class value or public"),
  ),
  fails(
    "get-secret.engine",
    "store",
    GET,
    { secretId: "app.public" },
    unsupported("get_secret", "key app.public is kept by engine transit, which does not offer this"),
  ),
  fails("get-secret.public-class-needs-no-rule", "store", GET, { secretId: "other.public" }, notFound),
  fails("get-secret.backend-unavailable", "outage", GET, { secretId: "app.password" }, unavailable("get_secret")),
];

const rotations: readonly Case[] = [
  {
    id: "rotate-secret.recipe",
    run: async (scene) => {
      const secretId = "app.pin";
      const { version } = await scene.answer<Version>("store", ROTATE, { secretId });
      const { value } = await scene.answer("store", GET, { secretId, version });
      expect(Buffer.from(fromBase64(value!)).toString()).toMatch(/^[0-9a-f]{16}$/);
    },
  },
  {
    id: "rotate-secret.key",
    run: async (scene) => {
      const keyId = "app.ed";
      await scene.call("store", "SigningService/NewKey", { keyId, keyType: "KEY_TYPE_ED25519" });
      const before = await scene.answer<Version>("store", "SigningService/GetPublicKey", { keyId });
      const { version } = await scene.answer<Version>("store", ROTATE, { secretId: keyId });
      expect(version).toBe(before.version + 1);
      const old = await scene.answer<Version>("store", "SigningService/GetPublicKey", {
        keyId,
        version: before.version,
      });
      expect(old).toEqual(before);
    },
  },
  {
    id: "rotate-secret.event",
    run: async (scene) => {
      const all = await scene.open("store", "AdminService/Watch", {});
      const revocations = await scene.open("store", "AdminService/Watch", { kinds: ["EVENT_KIND_REVOKED"] });
      const unknown = await scene.open("store", "AdminService/Watch", { kinds: [31] });
      const { version } = await scene.answer<Version>("store", ROTATE, { secretId: "app.pin" });
      expect(await all.next()).toMatchObject({
        kind: "EVENT_KIND_KEY_ROTATED",
        at: expect.stringMatching(/^\d{4}-/),
        keyRotated: { keyId: "app.pin", newVersion: version },
      });
      const revoked = { trustDomain: "example.org", jti: "seen-by-watchers", expiresAtUnix: "4102444800" };
      await scene.answer("store", "AdminService/Revoke", revoked);
      const event = { kind: "EVENT_KIND_REVOKED", revoked: { trustDomain: "example.org", id: "seen-by-watchers" } };
      expect(await all.next()).toMatchObject(event);
      // The first it sees: rotations were filtered.
      expect(await revocations.next()).toMatchObject(event);
      await Promise.all([all.cancel(), revocations.cancel(), unknown.cancel()]);
    },
  },
  fails(
    "rotate-secret.no-recipe",
    "store",
    ROTATE,
    { secretId: "app.password" },
    invalid("rotate_secret", "key app.password has no recipe in the catalog; set it instead"),
  ),
  {
    id: "rotate-secret.age-identity",
    run: async (scene) => {
      expect(await rotated(scene, "app.identity")).toMatch(/^AGE-SECRET-KEY-1[0-9A-Z]{58}$/);
    },
  },
  {
    id: "rotate-secret.tls-pair",
    run: async (scene) => {
      const key = await rotated(scene, "app.tls_key");
      const first = await read(scene, "app.tls_cert");
      expect(new X509Certificate(first).checkPrivateKey(createPrivateKey(key))).toBe(true);
      const second = await rotated(scene, "app.tls_cert");
      expect(second).not.toBe(first);
      expect(new X509Certificate(second).checkPrivateKey(createPrivateKey(key))).toBe(true);
    },
  },
  fails("rotate-secret.half-of-a-pair", "store", ROTATE, { secretId: "app.half_key" }, refusal("rotate")),
  fails(
    "rotate-secret.class-sealing",
    "store",
    ROTATE,
    { secretId: "app.sealing" },
    invalid("rotate_secret", "key app.sealing is of class sealing, this needs class asymmetric or symmetric or value"),
  ),
  fails(
    "rotate-secret.class-public",
    "store",
    ROTATE,
    { secretId: "app.public" },
    invalid("rotate_secret", "key app.public is of class public, this needs class asymmetric or symmetric or value"),
  ),
  fails(
    "rotate-secret.kv2-key",
    "store",
    ROTATE,
    { secretId: "app.kv2_ed" },
    unsupported("rotate_secret", "key app.kv2_ed is kept by engine kv2, which does not offer this"),
  ),
  fails(
    "rotate-secret.aws-kms",
    "kms",
    ROTATE,
    { secretId: "app.writable" },
    unsupported("rotate_secret", "the key's backend does not rotate"),
  ),
];

interface Entry {
  readonly name: string;
  readonly kind: string;
  readonly keyType?: string;
  readonly latestVersion: number;
}

const listing: readonly Case[] = [
  {
    id: "list-catalog.what-may-be-seen",
    run: async (scene) => {
      const { answers } = await scene.call("kms", LIST);
      const entries = answers as unknown as Entry[];
      const names = entries.map(({ name }) => name);
      expect(names).toEqual([...names].sort());
      expect(names).not.toContain("other.p256");
      const byName = new Map(entries.map((entry) => [entry.name, entry]));
      const type = (keyType: string) => ({ kind: "CATALOG_KIND_SIGNING", keyType, latestVersion: 1 });
      expect(byName.get("app.p256")).toMatchObject(type("KEY_TYPE_ECDSA_P256"));
      expect(byName.get("app.p521")).toMatchObject(type("KEY_TYPE_ECDSA_P521"));
      expect(byName.get("app.aead")).toEqual({ name: "app.aead", kind: "CATALOG_KIND_ENCRYPTION", latestVersion: 1 });
      expect(byName.get("app.gone")).toMatchObject({ kind: "CATALOG_KIND_SIGNING", latestVersion: 0 });
    },
  },
  {
    id: "list-catalog.prefix",
    run: async (scene) => {
      const names = async (prefix: string) =>
        (await scene.call("kms", LIST, { prefix })).answers.map(({ name }) => name);
      expect(await names("app.p")).toEqual(["app.p256", "app.p384", "app.p521"]);
      expect(await names("other.")).toEqual([]);
      expect((await names("")).length).toBeGreaterThan(10);
    },
  },
  {
    id: "list-catalog.public-class",
    run: async (scene) => {
      const { answers } = await scene.call("store", LIST, { prefix: "other." });
      expect(answers.map(({ name }) => name)).toEqual(["other.public"]);
    },
  },
  {
    id: "list-catalog.backend-unavailable",
    run: async (scene) => {
      const outcome = await scene.call("outage", LIST, { prefix: "app.p256" });
      const entry = {
        name: "app.p256",
        kind: "CATALOG_KIND_SIGNING",
        keyType: "KEY_TYPE_ECDSA_P256",
        latestVersion: 0,
      };
      expect(outcome).toMatchObject({ code: "OK", answers: [entry] });
    },
  },
];

export const secrets: readonly Case[] = [...values, ...rotations, ...listing];
