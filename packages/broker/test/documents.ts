import { type Catalog, parseCatalog } from "@basil/catalog";
import { parsePolicy } from "@basil/policy";

const UID = process.getuid?.() ?? 0;

/** Who the tests are to the policy, and someone it does not know. */
export const ALICE = { kind: "unix", uid: UID, gid: 0, groups: [], pid: null } as const;
export const NOBODY = { ...ALICE, uid: UID + 40_000 } as const;

const key = (keyType: string | undefined, more: object = {}) => ({
  class: keyType === "aes-256-gcm" ? "symmetric" : "asymmetric",
  ...(keyType && { keyType }),
  backend: "mem",
  writable: true,
  missing: "generate",
  description: "a key of the tests",
  ...more,
});

export const CATALOG_DOCUMENT = {
  schemaVersion: 1,
  backends: {
    mem: {
      kind: "aws-kms",
      addr: "here",
      engines: ["transit"],
      mintKeyTypes: ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "aes-256-gcm"],
    },
  },
  keys: {
    "app.aead": key("aes-256-gcm", { path: "alias/aead" }),
    "app.ed": key("ed25519", { path: "alias/ed" }),
    "app.p256": key("ecdsa-p256", { path: "alias/p256" }),
    "app.p384": key("ecdsa-p384", { path: "alias/p384" }),
    "app.p521": key("ecdsa-p521", { path: "alias/p521" }),
    "app.issuer": key("ed25519", { path: "alias/issuer", labels: ["nats_type=A"] }),
    "app.late": key("ecdsa-p256", { path: "alias/late", missing: "warn" }),
    "app.late_aead": key("aes-256-gcm", { path: "alias/late-aead", missing: "warn" }),
    "app.readonly": key("ecdsa-p256", { path: "alias/readonly", writable: false }),
    "other.p256": key("ecdsa-p256", { path: "alias/other" }),
  },
};

const ALL = [
  ...["get", "list", "get_public_key", "verify", "sign", "encrypt", "decrypt", "mint", "sign_nats_jwt"],
  ...["validate_nats_jwt", "encrypt_nats_curve", "decrypt_nats_curve", "set", "rotate", "import", "new_key"],
].map((operation) => `op:${operation}`);

export const POLICY_DOCUMENT = {
  schemaVersion: 2,
  subjects: { alice: { allOf: [{ kind: "unix", uid: UID }] } },
  roles: {},
  rules: [
    { id: "app", subjects: ["alice"], action: ALL, target: ["app.*"] },
    { id: "admin", subjects: ["alice"], action: ["op:explain", "op:watch"], target: ["broker.*"] },
  ],
  config: { names: { users: { [UID]: "alice" } } },
};

export function testCatalog(change: (document: typeof CATALOG_DOCUMENT) => void = () => {}): Catalog {
  const document = structuredClone(CATALOG_DOCUMENT);
  change(document);
  return parseCatalog(JSON.stringify(document));
}

export function testPolicy(change: (document: typeof POLICY_DOCUMENT) => void = () => {}) {
  const document = structuredClone(POLICY_DOCUMENT);
  change(document);
  return parsePolicy(JSON.stringify(document));
}
