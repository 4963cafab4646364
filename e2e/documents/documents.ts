/** A small deployment as its documents: one KMS, a signer, an AEAD key, a value on a backend whose package is not here. */
export const catalog = {
  $schema: "https://example.com/catalog.schema.json",
  schemaVersion: 1,
  backends: {
    kms: { kind: "aws-kms", addr: "eu-west-1", engines: ["transit"] },
    store: { kind: "vault", addr: "https://vault.internal:8200", engines: ["kv2"] },
  },
  keys: {
    "app.signer": {
      class: "asymmetric",
      keyType: "ecdsa-p256",
      backend: "kms",
      path: "alias/app-signer",
      writable: false,
      description: "signs",
    },
    "app.secret": {
      class: "value",
      backend: "store",
      path: "secret/data/app",
      writable: true,
      missing: "warn",
      description: "a password",
    },
  },
};

export const policy = {
  schemaVersion: 2,
  subjects: {
    app: { allOf: [{ kind: "unix", uid: 1001 }] },
    ops: { allOf: [{ kind: "unix", uid: 1002 }] },
  },
  rules: [
    { id: "app-signs", subjects: ["app"], action: ["op:sign"], target: ["app.signer"] },
    { id: "ops-sets", subjects: ["ops"], action: ["op:set", "op:reload"], target: ["app.secret", "broker.reload"] },
  ],
  config: { names: { users: { 1001: "app" } } },
};

/** Four mistakes, in four places. */
export const refusedCatalog = {
  schemaVersion: 1,
  backends: { kms: { kind: "aws-kmss", addr: "" } },
  keys: {
    "App.signer": { ...catalog.keys["app.signer"], keyType: "aes-256-gcm", description: "" },
  },
};
export const refusedCatalogPointers = [
  "/backends/kms/kind",
  "/keys/App.signer",
  "/keys/App.signer/description",
  "/keys/App.signer/keyType",
];

/** Three mistakes, in three places. */
export const refusedPolicy = {
  subjects: { app: { allOf: [{ kind: "unix" }] } },
  rules: [{ id: "r", subjects: ["ap"], action: ["sign"], target: ["app.signer"] }],
};
export const refusedPolicyPointers = ["/subjects/app/allOf/0", "/rules/0/subjects/0", "/rules/0/action/0"];

export const cases = {
  cases: [
    { name: "the app signs", uid: 1001, op: "sign", key: "app.signer", expect: "allow", rule: "app-signs" },
    { name: "nobody else", uid: 1002, op: "sign", key: "app.signer", expect: "deny", reason: "not_permitted" },
  ],
};
