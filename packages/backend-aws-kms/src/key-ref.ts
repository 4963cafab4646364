import { createHash } from "node:crypto";
import { BackendError } from "@basil/core";

const ALIAS_PREFIX = "alias/";
/** CreateAlias: `AliasName` is 1 to 256 characters, prefix included. */
const ALIAS_MAX_LENGTH = 256;
const ALIAS_NAME = /^alias\/[a-zA-Z0-9/_-]+$/;
const GENERATED_SUFFIX_LENGTH = 12;

export type KeyReference =
  /** `alias/NAME`: as written, or generated from a logical name. */
  | { readonly form: "alias"; readonly keyId: string; readonly generated: boolean }
  /** A key ARN or an alias ARN, of any partition. */
  | { readonly form: "arn"; readonly keyId: string }
  /** A bare key id: a UUID, or `mrk-` and 32 hexadecimal digits for a multi-Region key. */
  | { readonly form: "key-id"; readonly keyId: string };

/**
 * What KMS is asked for when the catalog says `path`.
 *
 * An alias, an ARN, a UUID (36 hexadecimal digits and hyphens) and a bare `mrk-` id go out as they are, so that a policy
 * on `kms:RequestAlias` sees what the catalog says. Any other string is a logical name: `alias/basil/SLUG-HASH`, where
 * SLUG keeps `A-Z a-z 0-9 _ - /` and writes `_` for every other character, and HASH is the first 12 characters of
 * base64url(SHA-256(path)).
 */
export function keyReference(path: string): KeyReference {
  if (path.startsWith(ALIAS_PREFIX)) return { form: "alias", keyId: path, generated: false };
  if (path.startsWith("arn:")) return { form: "arn", keyId: path };
  if (/^[0-9a-fA-F-]{36}$/.test(path) || /^mrk-[0-9a-f]{32}$/.test(path)) return { form: "key-id", keyId: path };
  return { form: "alias", keyId: generatedAlias(path), generated: true };
}

function generatedAlias(name: string): string {
  const slug = name.replace(/[^a-zA-Z0-9_/-]/gu, "_");
  const hash = createHash("sha256").update(name, "utf8").digest("base64url").slice(0, GENERATED_SUFFIX_LENGTH);
  return `alias/basil/${slug}-${hash}`;
}

/**
 * The alias a key at `path` is created under.
 *
 * @throws `BackendError` `INVALID_REQUEST` when no key can be created there: an ARN or key id, which AWS assigns;
 *   an alias over 256 characters, with other characters than `A-Z a-z 0-9 / _ -`, or under the reserved `alias/aws/`.
 */
export function creatableAlias(path: string): string {
  const reference = keyReference(path);
  const refuse = (reason: string) =>
    new BackendError("INVALID_REQUEST", `no key can be created at path "${path}": ${reason}`, {});
  if (reference.form !== "alias") {
    throw refuse("AWS assigns ARNs and key ids; use an alias or a logical name");
  }
  const alias = reference.keyId;
  if (alias.length > ALIAS_MAX_LENGTH) {
    throw refuse(`its alias has ${alias.length} characters, KMS allows ${ALIAS_MAX_LENGTH}`);
  }
  if (!ALIAS_NAME.test(alias)) {
    throw refuse("an alias is alias/ and one or more of A-Z a-z 0-9 / _ -");
  }
  if (alias.startsWith("alias/aws/")) throw refuse("alias/aws/ is reserved by AWS");
  return alias;
}
