import type { BackendEntry, KeyType } from "@basil/catalog";
import { BackendError } from "../errors.js";

const SYMMETRIC: readonly KeyType[] = ["aes-256-gcm", "chacha20-poly1305"];

/** Kinds where a symmetric key, too, is made only when `mintKeyTypes` lists it. */
const KINDS_THAT_GATE_SYMMETRIC: readonly string[] = ["aws-kms"];

/** Whether the catalog declares anything that the backend provides; what declares nothing is not checked. */
export function isDeclared({ engines, capabilities, mintKeyTypes }: BackendEntry): boolean {
  return engines.length + capabilities.length + mintKeyTypes.length > 0;
}

/** Whether a key of this type may be made on the backend only when its `mintKeyTypes` lists the type. */
export function needsMintKeyType(backend: BackendEntry, keyType: KeyType): boolean {
  return !SYMMETRIC.includes(keyType) || KINDS_THAT_GATE_SYMMETRIC.includes(backend.kind);
}

/**
 * Holds wherever a key is created, imported or generated, whatever the capability policy: a declared backend makes only
 * the key types of its `mintKeyTypes`. Symmetric types are free of it, except on kind `aws-kms`.
 *
 * @throws {@link BackendError} `UNSUPPORTED_ALGORITHM`
 */
export function requireMintable(backend: BackendEntry, keyType: KeyType): void {
  if (!isDeclared(backend) || !needsMintKeyType(backend, keyType) || backend.mintKeyTypes.includes(keyType)) return;
  const listed = backend.mintKeyTypes.join(", ") || "nothing";
  throw new BackendError(
    "UNSUPPORTED_ALGORITHM",
    `mintKeyTypes of backend "${backend.name}" lists ${listed}; to make a key there it must list ${keyType}`,
    { keyType },
  );
}
