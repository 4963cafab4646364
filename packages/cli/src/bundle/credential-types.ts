/** The types of `--backend` that are read here, for backends whose own package does not read them. */
export interface CredentialType {
  /** The kind that is sealed, and that `show --open` prints. */
  readonly kind: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Fields that name a file; its content is sealed under the name without `-file`. */
  readonly files: Readonly<Record<string, "text" | "key32">>;
}

const vaultToken: CredentialType = {
  kind: "vault-token",
  required: ["token-file"],
  optional: ["addr"],
  files: { "token-file": "text" },
};
const vaultAppRole: CredentialType = {
  kind: "vault-approle",
  required: ["role-id", "secret-id-file"],
  optional: ["addr"],
  files: { "secret-id-file": "text" },
};
const spiffeSigner: CredentialType = {
  kind: "spiffe-signer",
  required: ["spiffe-key-file", "spiffe-id"],
  optional: ["addr"],
  files: { "spiffe-key-file": "text" },
};
const vault = [vaultToken, vaultAppRole, spiffeSigner];

/** By type; where there are several forms, the one whose first required field is given is meant. */
export const CREDENTIAL_TYPES: ReadonlyMap<string, readonly CredentialType[]> = new Map([
  ["openbao", vault],
  ["vault", vault],
  [
    "aws-kms",
    [
      {
        kind: "aws-kms",
        required: ["region"],
        optional: ["profile", "endpoint", "role-arn", "external-id", "session-name", "fips"],
        files: {},
      },
    ],
  ],
  [
    "gcp-kms",
    [
      {
        kind: "gcp-kms",
        required: ["project", "location", "key-ring"],
        optional: ["key-file"],
        files: { "key-file": "text" },
      },
    ],
  ],
  ["1password", [{ kind: "onepassword", required: ["provider-uri", "project", "profile"], optional: [], files: {} }]],
  [
    "db-keystore",
    [{ kind: "db-keystore-dek", required: ["path", "dek-file"], optional: ["cipher"], files: { "dek-file": "key32" } }],
  ],
]);
