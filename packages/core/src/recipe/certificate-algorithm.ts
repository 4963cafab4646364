import type { KeyObject } from "node:crypto";
import { BackendError } from "../errors.js";

/** How a certificate names the algorithm it is signed by, and how node:crypto is told. */
export interface CertificateAlgorithm {
  readonly oid: string;
  /** Absent where the algorithm hashes by itself. */
  readonly hash?: string;
  /** RFC 4055 §5: RSA has NULL as its parameters; elsewhere there are none (RFC 5758 §3.2, RFC 8410 §3). */
  readonly nullParameters?: true;
}

const ECDSA: ReadonlyMap<string | undefined, CertificateAlgorithm> = new Map([
  ["prime256v1", { oid: "1.2.840.10045.4.3.2", hash: "sha256" }],
  ["secp384r1", { oid: "1.2.840.10045.4.3.3", hash: "sha384" }],
  ["secp521r1", { oid: "1.2.840.10045.4.3.4", hash: "sha512" }],
]);

/** @throws {@link BackendError} `UNSUPPORTED_ALGORITHM` for a key that is neither RSA, ECDSA on P-256, P-384 or P-521, nor Ed25519. */
export function certificateAlgorithm({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): CertificateAlgorithm {
  if (asymmetricKeyType === "rsa") return { oid: "1.2.840.113549.1.1.11", hash: "sha256", nullParameters: true };
  if (asymmetricKeyType === "ed25519") return { oid: "1.3.101.112" };
  const ecdsa = asymmetricKeyType === "ec" ? ECDSA.get(asymmetricKeyDetails?.namedCurve) : undefined;
  if (ecdsa !== undefined) return ecdsa;
  throw new BackendError("UNSUPPORTED_ALGORITHM", `no certificate is made for a key of type ${asymmetricKeyType}`, {});
}
