/** What `basil init` writes: the smallest deployment that signs with one key, as text. */

export const EXAMPLE_KEY = "example.signing_key";
export const BACKEND = "primary";

export function exampleCatalog(region: string): string {
  return json({
    schemaVersion: 1,
    backends: {
      [BACKEND]: {
        kind: "aws-kms",
        addr: `aws-kms:${region}`,
        engines: ["transit"],
        mintKeyTypes: ["ecdsa-p256"],
      },
    },
    keys: {
      [EXAMPLE_KEY]: {
        class: "asymmetric",
        keyType: "ecdsa-p256",
        backend: BACKEND,
        engine: "transit",
        path: "alias/basil/example-signing-key",
        writable: true,
        missing: "generate",
        description: "An example signing key held in AWS KMS",
      },
    },
  });
}

export function examplePolicy(uid: number): string {
  return json({
    schemaVersion: 2,
    subjects: { "init.user": { allOf: [{ kind: "unix", uid }] } },
    roles: { "example-signer": ["sign", "verify", "get_public_key", "list"] },
    rules: [
      {
        id: "running-user-may-sign-example-key",
        subjects: ["init.user"],
        action: ["role:example-signer"],
        target: [EXAMPLE_KEY],
      },
    ],
    config: { names: { users: { [uid]: "init-user" } } },
  });
}

export interface ExampleConfig {
  /** Absolute, as all paths here. */
  readonly catalog: string;
  readonly policy: string;
  readonly bundle: string;
  readonly socket: string;
  readonly auditLog: string;
  readonly passphraseFile: string;
}

export function exampleConfig(paths: ExampleConfig): string {
  return `catalog = ${toml(paths.catalog)}
policy = ${toml(paths.policy)}
bundle = ${toml(paths.bundle)}
socket = ${toml(paths.socket)}
socket-mode = "0600"
audit-log = ${toml(paths.auditLog)}

[unlock]
unlock-passphrase-file = ${toml(paths.passphraseFile)}
`;
}

/** A basic string of TOML 1.0, whose escapes are those of JSON. */
function toml(text: string): string {
  return JSON.stringify(text);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
