import type { KeyOptions } from "@basil/aws-kms-emulator";

const uid = process.geteuid?.() ?? 0;

interface Members {
  readonly class?: string;
  readonly keyType?: string;
  readonly [name: string]: unknown;
}

const onKms = (keyType: string, path: string, more: Members = {}) => ({
  class: keyType === "aes-256-gcm" ? "symmetric" : "asymmetric",
  keyType,
  backend: "kms",
  path: `alias/e2e/${path}`,
  writable: false,
  missing: "error",
  description: "a key of the protocol suite",
  ...more,
});
const late = { writable: true, missing: "warn" };

export const KMS_CATALOG = {
  schemaVersion: 1,
  backends: {
    kms: {
      kind: "aws-kms",
      addr: "aws-kms:us-east-1",
      engines: ["transit"],
      mintKeyTypes: ["ecdsa-p256", "ed25519", "aes-256-gcm"],
    },
  },
  keys: {
    "app.p256": onKms("ecdsa-p256", "p256"),
    "app.p384": onKms("ecdsa-p384", "p384"),
    "app.p521": onKms("ecdsa-p521", "p521"),
    "app.ed": onKms("ed25519", "ed"),
    "app.aead": onKms("aes-256-gcm", "aead"),
    "app.fixed": onKms("ecdsa-p256", "fixed"),
    "app.issuer": onKms("ed25519", "issuer", { labels: ["nats_type=A"] }),
    "app.svid": onKms("ecdsa-p256", "svid", { labels: ["svid_kind=jwt"] }),
    "app.denied": onKms("ecdsa-p256", "denied"),
    "app.disabled": onKms("ecdsa-p256", "disabled"),
    "app.gone": onKms("ecdsa-p256", "gone", late),
    "app.new_js": onKms("ecdsa-p256", "new-js", late),
    "app.new_py": onKms("ecdsa-p256", "new-py", late),
    "app.new_aead_js": onKms("aes-256-gcm", "new-aead-js", late),
    "app.new_aead_py": onKms("aes-256-gcm", "new-aead-py", late),
    "app.unmintable": onKms("ecdsa-p384", "unmintable", late),
    "app.writable": onKms("ecdsa-p256", "writable", { writable: true }),
    "app.writable_aead": onKms("aes-256-gcm", "writable-aead", { writable: true }),
    "other.p256": onKms("ecdsa-p256", "other"),
  },
};

const DENIED = "1111abcd-12ab-34cd-56ef-1234567890ab";
export const DISABLED = "2222abcd-12ab-34cd-56ef-1234567890ab";

export const KMS_KEYS: readonly KeyOptions[] = [
  { spec: "ECC_NIST_P256", aliases: ["alias/e2e/p256"] },
  { spec: "ECC_NIST_P384", aliases: ["alias/e2e/p384"] },
  { spec: "ECC_NIST_P521", aliases: ["alias/e2e/p521"] },
  { spec: "ECC_NIST_EDWARDS25519", aliases: ["alias/e2e/ed"] },
  { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/e2e/aead"] },
  { spec: "ECC_NIST_P256", aliases: ["alias/e2e/fixed"] },
  { spec: "ECC_NIST_EDWARDS25519", aliases: ["alias/e2e/issuer"] },
  { spec: "ECC_NIST_P256", aliases: ["alias/e2e/svid"] },
  { spec: "ECC_NIST_P256", aliases: ["alias/e2e/denied"], id: DENIED },
  { spec: "ECC_NIST_P256", aliases: ["alias/e2e/disabled"], id: DISABLED },
  { spec: "ECC_NIST_P256", aliases: ["alias/e2e/writable"] },
  { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/e2e/writable-aead"] },
  { spec: "ECC_NIST_P256", aliases: ["alias/e2e/other"] },
];

export const KMS_IAM_POLICY = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: "kms:*", Resource: "*" },
    {
      Effect: "Deny",
      Action: ["kms:Sign", "kms:GetPublicKey"],
      Resource: `arn:aws:kms:us-east-1:111122223333:key/${DENIED}`,
    },
  ],
};

const stored = (keyClass: string, path: string, more: Members = {}) => ({
  class: keyClass,
  backend: "store",
  path,
  writable: true,
  missing: "warn",
  description: "an entry of the protocol suite",
  ...more,
});

const TLS = { format: "self-signed-tls", commonName: "dev.internal", validity: "720h" };
const PAIR = { format: "self-signed-tls-pair-of" };

/** Its events are large, so that few of them fill what a transport keeps for a slow reader. */
export const LONG_NAME = `app.${"x".repeat(2000)}`;

export const STORE_CATALOG = {
  schemaVersion: 1,
  backends: {
    store: {
      kind: "keystore",
      addr: "memory",
      engines: ["transit", "kv2", "pki"],
      mintKeyTypes: ["ed25519", "rsa-2048", "ecdsa-p256", "ecdsa-p521", "chacha20-poly1305", "aes-256-gcm"],
    },
  },
  keys: {
    "app.p256": stored("asymmetric", "p256", { keyType: "ecdsa-p256" }),
    "app.p521": stored("asymmetric", "p521", { keyType: "ecdsa-p521" }),
    "app.ed": stored("asymmetric", "ed", { keyType: "ed25519" }),
    "app.rsa": stored("asymmetric", "rsa", { keyType: "rsa-2048" }),
    "app.chacha": stored("symmetric", "chacha", { keyType: "chacha20-poly1305" }),
    "app.mldsa": stored("asymmetric", "mldsa", { keyType: "ml-dsa-65" }),
    "app.gone": stored("asymmetric", "gone", { keyType: "ecdsa-p256" }),
    "app.kv2_ed": stored("asymmetric", "kv2-ed", { keyType: "ed25519", engine: "kv2", publicPath: "kv2-ed-public" }),
    "app.pki": stored("asymmetric", "pki/issue/web", { keyType: "ecdsa-p256", engine: "pki" }),
    "app.sealing": stored("sealing", "sealing", { keyType: "x25519", publicPath: "sealing-public" }),
    "app.mlkem": stored("sealing", "mlkem", { keyType: "ml-kem-768", publicPath: "mlkem-public" }),
    "app.public": stored("public", "p256-public", { keyType: "ecdsa-p256", engine: "transit" }),
    "app.password": stored("value", "password"),
    "app.unset": stored("value", "unset"),
    "app.pin": stored("value", "pin", { generate: { format: "hex", bytes: 8 } }),
    [LONG_NAME]: stored("value", "long", { generate: { format: "hex", bytes: 1 } }),
    "app.identity": stored("value", "identity", { generate: { format: "age-x25519" } }),
    "app.tls_cert": stored("value", "tls-cert", { generate: TLS }),
    "app.tls_key": stored("value", "tls-key", { generate: { ...PAIR, pairOf: "app.tls_cert" } }),
    "app.half_key": stored("value", "half-key", { generate: { ...PAIR, pairOf: "other.half" } }),
    "app.fixed": stored("value", "fixed", { writable: false }),
    "app.revoked": stored("value", "revoked", { labels: ["revocation_store=jwt-svid"] }),
    "other.password": stored("value", "other"),
    "other.public": stored("public", "other-public"),
    "other.half": stored("value", "half", { generate: TLS }),
  },
};

/** A subject that may do everything on `app.*` and all that is administration, and nothing on `other.*`. */
export function policyFor(caller: "known" | "stranger" | "ambiguous"): object {
  const me = { allOf: [{ kind: "unix", uid }] };
  const somebody = { allOf: [{ kind: "unix", uid: uid + 40_000 }] };
  const subjects = caller === "known" ? { me } : caller === "stranger" ? { me: somebody } : { me, again: me };
  const admin = ["reload", "explain", "revoke", "watch"];
  return {
    schemaVersion: 2,
    subjects,
    rules: [
      { id: "app", subjects: ["me"], action: ["*"], target: ["app.*"] },
      ...admin.map((op) => ({ id: op, subjects: ["me"], action: [`op:${op}`], target: [`broker.${op}`] })),
    ],
  };
}
