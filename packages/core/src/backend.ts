import type { Engine, KeyType } from "@basil/catalog";
import type { ZodType } from "zod";
import type { CallContext } from "./call-context.js";
import type { Capabilities } from "./capabilities.js";

/** Which key, as the catalog has it. `path` is the backend's own locator; `name` is for messages and descriptions. */
export interface KeyRef {
  readonly name: string;
  readonly path: string;
  readonly keyType: KeyType;
  /** Which engine the catalog reaches it by; absent means transit. */
  readonly engine?: Engine;
}

/** What every result carries, so that the audit log joins the backend's own. */
export interface Provenance {
  /** The backend's full name of the key it used: for KMS the key ARN. */
  readonly resource: string;
  /** The backend's id for the request: for KMS the request id of CloudTrail. */
  readonly backendRequestId?: string;
}

export interface SignResult extends Provenance {
  /** ed25519: 64 bytes (RFC 8032 §5.1.6). ecdsa-p256, -p384, -p521: `r ‖ s`, 64, 96, 132 bytes (RFC 7518 §3.4), never DER. */
  readonly signature: Uint8Array;
  /** The version that did the work, from 1. What the audit log shows, and which public key a signature is held against. */
  readonly keyVersion: number;
}

export interface VerifyResult extends Provenance {
  /** False for a well-formed signature that does not verify; a malformed one is an error. */
  readonly valid: boolean;
  readonly keyVersion: number;
}

export interface PublicKeyResult extends Provenance {
  /** SubjectPublicKeyInfo, DER (RFC 5280 §4.1.2.7). */
  readonly publicKey: Uint8Array;
  readonly keyType: KeyType;
  /** The version this is the public half of, from 1. */
  readonly keyVersion: number;
}

/** A ciphertext and what its backend needs to open it again. Callers hand it back unchanged. */
export interface CiphertextEnvelope {
  /** The version that encrypted, from 1. */
  readonly keyVersion: number;
  /** Empty when the backend keeps the nonce inside `ciphertext`. */
  readonly nonce: Uint8Array;
  /** Not shorter than the plaintext, and at most 16,384 bytes longer. */
  readonly ciphertext: Uint8Array;
}

export interface EncryptResult extends Provenance {
  readonly envelope: CiphertextEnvelope;
}

export interface DecryptResult extends Provenance {
  /** Given away: whoever asked zeroes it when done. */
  readonly plaintext: Uint8Array;
  /** The version that decrypted, from 1. */
  readonly keyVersion: number;
}

export interface CreateKeyResult extends Provenance {
  /** The first version of a fresh key, which is 1 unless the backend counts otherwise. */
  readonly keyVersion: number;
  /** SPKI DER of a fresh asymmetric key; absent for a symmetric one. */
  readonly publicKey?: Uint8Array;
}

export interface RotateResult extends Provenance {
  /** The new version, higher than all before. */
  readonly keyVersion: number;
}

/**
 * Keys used in place. Each method refuses with `UNSUPPORTED_ALGORITHM` or `UNSUPPORTED`, before any call, what the
 * capabilities do not claim; and may end in `KEY_NOT_FOUND`, `KEY_UNUSABLE`, `ACCESS_DENIED`, `UNAVAILABLE`,
 * `REJECTED`, `PROTOCOL`, `CANCELLED` or `DEADLINE_EXCEEDED`.
 */
export interface TransitEngine {
  /**
   * Signs the whole message; whether it is hashed first is a property of the key type, never the caller's choice.
   * @throws {@link BackendError} also `INVALID_REQUEST`, `PAYLOAD_TOO_LARGE` for a message outside the claimed range.
   */
  sign(key: KeyRef, message: Uint8Array, context: CallContext): Promise<SignResult>;
  /**
   * Verifies a signature of the whole message, in the form that {@link SignResult} gives it.
   * @throws {@link BackendError} also `SIGNATURE_MALFORMED` for a signature that is not of the fixed width, and for the
   *   message as `sign` does.
   */
  verify(key: KeyRef, message: Uint8Array, signature: Uint8Array, context: CallContext): Promise<VerifyResult>;
  /** Without `version` the newest. @throws {@link BackendError} `KEY_NOT_FOUND` also for a version that is not there. */
  publicKey(key: KeyRef, context: CallContext, options?: { readonly version?: number }): Promise<PublicKeyResult>;
  /** `aad` absent and `aad` empty are different contexts. The plaintext may be zeroed once this settles. */
  encrypt(
    key: KeyRef,
    plaintext: Uint8Array,
    aad: Uint8Array | undefined,
    context: CallContext,
  ): Promise<EncryptResult>;
  /**
   * Opens an envelope that `encrypt` gave, under the same `aad`.
   * @throws {@link BackendError} also `DECRYPT_FAILED`, whichever of key, AAD or ciphertext was wrong; `KEY_NOT_FOUND` or
   *   `DECRYPT_FAILED` for an envelope of a version that is not there.
   */
  decrypt(
    key: KeyRef,
    envelope: CiphertextEnvelope,
    aad: Uint8Array | undefined,
    context: CallContext,
  ): Promise<DecryptResult>;
  /** Creates the key at exactly `key.path`. @throws {@link BackendError} also `KEY_EXISTS`. */
  createKey(key: KeyRef, context: CallContext): Promise<CreateKeyResult>;
  /** Makes a new version the newest; older ones stay verifiable. Absent where the backend cannot. */
  rotate?(key: KeyRef, context: CallContext): Promise<RotateResult>;
}

/** Stored values with versions. */
export interface Kv2Engine {
  /** The `value` is a copy of its own: whoever asked may zero it. */
  get(
    path: string,
    context: CallContext,
    options?: { readonly version?: number },
  ): Promise<{ value: Uint8Array; version: number } & Provenance>;
  /**
   * Makes the value the newest version. It may be zeroed once this settles.
   *
   * @param options - `createOnly` writes only where no value is, however many ask at once (Vault's `cas` of 0).
   * @throws {@link BackendError} also `KEY_EXISTS` for `createOnly` where a value is; what is there stays as it is.
   */
  put(
    path: string,
    value: Uint8Array,
    context: CallContext,
    options?: { readonly createOnly?: boolean },
  ): Promise<{ version: number } & Provenance>;
  /** Whether a value is there, by metadata alone: the value is never read. Fails as {@link Backend.probe} does. */
  probe(path: string, context: CallContext): Promise<KeyProbe>;
}

/** X.509 leaves issued by the backend. */
export interface PkiEngine {
  issue(
    path: string,
    request: {
      readonly commonName: string;
      readonly dnsSans: readonly string[];
      readonly ipSans: readonly string[];
      readonly ttlSeconds: number;
    },
    context: CallContext,
  ): Promise<{ chain: Uint8Array[]; privateKey: Uint8Array; caChain: Uint8Array[] } & Provenance>;
}

/** What a probe found, from metadata alone; no secret byte is ever read for it. */
export type KeyProbe =
  | { readonly state: "absent" }
  | { readonly state: "present"; readonly latestVersion: number; readonly resource: string; readonly keyType?: KeyType }
  /** There, and not what the catalog needs: disabled, pending deletion, another spec or usage. */
  | { readonly state: "unusable"; readonly reason: string; readonly resource?: string };

export interface BackendHealth {
  readonly healthy: boolean;
  /** For the operator; never sent to a caller. */
  readonly detail?: string;
}

/** What keeps failing is held back: calls fail at once with `UNAVAILABLE`, and now and then one is let through to see. */
export interface BreakerState {
  /** How many things are held back at this moment, each of them a call that would fail; 0 while none is. */
  readonly open: number;
}

/** One configured place that holds keys. Safe for concurrent use. */
export interface Backend extends AsyncDisposable {
  /** The catalog's name for it. */
  readonly id: string;
  /** "aws-kms", or a third party's. */
  readonly kind: string;
  readonly capabilities: Capabilities;
  readonly transit?: TransitEngine;
  readonly kv2?: Kv2Engine;
  readonly pki?: PkiEngine;
  /** Read at any time, for metrics: never waits and asks nobody. Absent where nothing is held back. */
  readonly breaker?: BreakerState;
  /**
   * Metadata only. A failure to find out is thrown, never reported as absent.
   * @throws {@link BackendError} `UNSUPPORTED`, `UNSUPPORTED_ALGORITHM` for a key type that is not claimed, before any
   *   call; `ACCESS_DENIED`, `UNAVAILABLE`, `REJECTED`, `PROTOCOL`, `CANCELLED`, `DEADLINE_EXCEEDED`.
   */
  probe(key: KeyRef, context: CallContext): Promise<KeyProbe>;
  health(context: CallContext): Promise<BackendHealth>;
}

/** How a backend tells the operator; the broker hands it its logger. */
export interface BackendLogger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface OpenBackendOptions {
  /** The catalog's name for the backend. */
  readonly id: string;
  readonly logger?: BackendLogger;
}

/** What a package exports, under the name `plugin`, to be a kind. */
export interface BackendPlugin<Credential = unknown> {
  /** 1 to 64 of `a`-`z`, `0`-`9` and `-`, not `-` first; none of the kinds Basil knows by itself. */
  readonly kind: string;
  /** Reads the fields of `--backend id=…,type=KIND,…` (all strings, without `id` and `type`) into the credential that is sealed as JSON. */
  readonly credentialSchema: ZodType<Credential>;
  /** What the kind can do at best, for the offline matrix: no backend it opens may claim more. */
  readonly capabilities: Capabilities;
  /** The backend, of this `kind` and of the `id` it is told. Need not reach the service yet; a promise that does not settle is given up. */
  open(credential: Credential, options: OpenBackendOptions): Promise<Backend>;
}
