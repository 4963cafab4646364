import type { AeadName, KeyTypeName } from "@basil/proto";

/** A ciphertext as the broker gave it. Keep all four fields and hand them back unchanged. */
export interface Envelope {
  readonly algorithm: AeadName;
  /** The version of the key that encrypted. */
  readonly keyVersion: number;
  /** Empty where the backend keeps the nonce inside `ciphertext`. */
  readonly nonce: Uint8Array;
  /** At most 16,384 bytes longer than the plaintext. */
  readonly ciphertext: Uint8Array;
}

export interface PublicKey {
  readonly keyId: string;
  readonly keyType: KeyTypeName;
  /** Ed25519: 32 bytes. ECDSA in a cloud KMS: the uncompressed point of SEC 1 §2.3.3, 65, 97 or 133 bytes. */
  readonly publicKey: Uint8Array;
  /** The version this is the public half of. */
  readonly version: number;
}

export interface NewKey {
  readonly keyId: string;
  /** As in {@link PublicKey}; empty for a symmetric key. */
  readonly publicKey: Uint8Array;
}

export interface CatalogItem {
  readonly name: string;
  readonly kind: "signing" | "value" | "encryption" | "unknown";
  /** Absent where the protocol has no number for the type: values, ciphers, key encapsulation. */
  readonly keyType?: KeyTypeName;
  /** 0 when the broker does not know. */
  readonly latestVersion: number;
  /** The same as the protocol's numbers, 0 for none. */
  readonly numbers: { readonly kind: number; readonly keyType: number };
}

export interface BrokerStatus {
  /** The kind of the first backend in byte order of the names. */
  readonly backend: string;
  readonly version: string;
  /** The number of the wire protocol, 1. */
  readonly protocol: number;
}

export interface BrokerHealth {
  readonly alive: boolean;
  readonly version: string;
}

export interface BrokerReadiness {
  readonly ready: boolean;
  readonly reason: "ready" | "backend_unreachable" | "required_key_missing" | "unknown";
  /** Which reading of catalog and policy serves, from 1. */
  readonly generation: number;
  readonly keysTotal: number;
  readonly keysPresent: number;
  /** Absent although the catalog says `missing: error`. */
  readonly keysRequiredMissing: number;
  /** Absent, and the catalog says `missing: warn` or `generate`. */
  readonly keysOptionalMissing: number;
}

export interface Secret {
  readonly value: Uint8Array;
  /** The version that was read. */
  readonly version: number;
}

export interface Token {
  /** Compact serialization (RFC 7515 §3.1). */
  readonly token: string;
  /** Absent for a token that never expires. */
  readonly expiresAt?: Date;
}

export interface CertificateSubject {
  readonly commonName: string;
  readonly dnsNames?: readonly string[];
  /** As text. */
  readonly ipAddresses?: readonly string[];
  /** Whole seconds. */
  readonly ttlSeconds: number;
}

export interface IssuedCertificate {
  /** DER, the leaf first. */
  readonly chain: readonly Uint8Array[];
  /** PKCS#8 in DER: made for the caller, and kept by nobody else. */
  readonly privateKey: Uint8Array;
  /** DER certificates of the issuer. */
  readonly caChain: readonly Uint8Array[];
}

export interface SealedAnswer {
  /** In the form of the request. */
  readonly message: Uint8Array;
  /** Where to send it, when the request said so. */
  readonly responseSubject?: string;
}

export interface ReloadAnswer {
  readonly applied: boolean;
  /** Only asked what would happen. */
  readonly checked: boolean;
  readonly previousGeneration: number;
  readonly newGeneration: number;
  readonly keyCount: number;
  /** Operations that rules grant, times targets, summed over the rules; 0 after a rejection, as `keyCount`. */
  readonly grantCount: number;
  /** There when the broker refuses what it read; what it serves stays. */
  readonly rejection?: { readonly reason: string; readonly message: string };
}

export interface ExplainAnswer {
  readonly subject: string;
  readonly op: string;
  readonly key: string;
  readonly decision: "allow" | "deny";
  /** On allow: `subject:NAME` or `public_class`. */
  readonly via?: string;
  /** On deny. */
  readonly reason?: string;
  /** When a rule allowed, in the spelling of the document. */
  readonly matchedRule?: {
    readonly rule: string;
    readonly via: string;
    readonly subject: string;
    readonly action: string;
    readonly target: string;
  };
}

export interface Revocation {
  readonly trustDomain: string;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly expiresAtUnix: number;
}

export type BrokerEvent = { readonly at: Date } & (
  | { readonly kind: "key_rotated"; readonly keyId: string; readonly newVersion: number }
  | { readonly kind: "bundle_changed"; readonly trustDomain: string }
  | { readonly kind: "revoked"; readonly trustDomain: string; readonly id: string }
);
