import { createPublicKey, type KeyObject } from "node:crypto";
import { BackendError, type CallContext, type KeyRef, type PublicKeyResult, spkiKeyType } from "@basil/core";
import { onKms, signingScheme } from "./capabilities.js";
import { incompleteAnswer } from "./errors.js";
import { type GuardedCalls, throwIfStopped } from "./guarded-calls.js";
import { keyReference } from "./key-ref.js";
import type { KeyVersions } from "./key-versions.js";
import { versionReference } from "./version-alias.js";

interface CachedKey {
  readonly keyType: string;
  readonly spki: Uint8Array;
  readonly keyObject: KeyObject;
}

/** A public key in the form node:crypto verifies with. */
export interface VerificationKey {
  readonly keyObject: KeyObject;
  readonly keyVersion: number;
  readonly resource: string;
  readonly backendRequestId?: string;
}

/** How long a path is believed to lead to the same key when only its public key is asked for. */
const BELIEVED_MS = 5 * 60_000;

/**
 * Public keys, fetched once a key and kept by key ARN. So when a path leads to another key, its public key is another:
 * a cached one is never served for it.
 */
export class PublicKeys {
  readonly #calls: GuardedCalls;
  readonly #versions: KeyVersions;
  readonly #now: () => number;
  readonly #byArn = new Map<string, CachedKey>();
  readonly #fetchedAt = new Map<string, number>();

  constructor(calls: GuardedCalls, versions: KeyVersions, now: () => number = () => performance.now()) {
    this.#calls = calls;
    this.#versions = versions;
    this.#now = now;
  }

  /** @throws {@link BackendError} `KEY_NOT_FOUND` also for a version that is not there. */
  async get(key: KeyRef, context: CallContext, version?: number): Promise<PublicKeyResult> {
    signingScheme(key, "publicKey");
    throwIfStopped(context);
    const { spki, keyVersion, ...from } = await (version === undefined
      ? this.#newest(key, context)
      : this.#ofVersion(key, version, context));
    return { publicKey: Uint8Array.from(spki), keyType: key.keyType, keyVersion, ...provenance(from) };
  }

  /**
   * That of the key `arn`, which was just put at the path, whatever was there before.
   *
   * @throws {@link BackendError} `KEY_NOT_FOUND` as long as KMS still answers with another key.
   */
  async ofNew(key: KeyRef, arn: string, context: CallContext): Promise<Uint8Array> {
    const { spki, resource } = await this.#fetchNewest(key, context);
    if (resource === arn) return Uint8Array.from(spki);
    const why = `${key.path} for key "${key.name}" is not seen at ${arn}, but at ${resource}`;
    throw new BackendError("KEY_NOT_FOUND", why, { key: key.name });
  }

  async newest(key: KeyRef, context: CallContext): Promise<VerificationKey> {
    const { keyObject, keyVersion, ...from } = await this.#newest(key, context);
    return { keyObject, keyVersion, ...provenance(from) };
  }

  async ofVersion(key: KeyRef, version: number, context: CallContext): Promise<VerificationKey> {
    const { keyObject, keyVersion, ...from } = await this.#ofVersion(key, version, context);
    return { keyObject, keyVersion, ...provenance(from) };
  }

  async #newest(key: KeyRef, context: CallContext) {
    const known = this.#versions.known(key);
    const resource = known?.currentArn;
    const cached = this.#cached(key, resource);
    const age = this.#now() - (this.#fetchedAt.get(key.path) ?? Number.NEGATIVE_INFINITY);
    if (known && resource !== undefined && cached && age < BELIEVED_MS) {
      return { ...cached, keyVersion: known.current, resource };
    }
    return this.#fetchNewest(key, context);
  }

  async #fetchNewest(key: KeyRef, context: CallContext) {
    const fetched = await this.#fetch(key, keyReference(key.path).keyId, context);
    const keyVersion = await this.#versions.answeredBy(key, fetched.resource, context);
    this.#fetchedAt.set(key.path, this.#now());
    return { ...fetched, keyVersion };
  }

  async #ofVersion(key: KeyRef, version: number, context: CallContext) {
    let { arns, rotated } = await this.#versions.of(key, context);
    if (!arns.has(version)) ({ arns, rotated } = await this.#versions.doubted(key, context));
    if (!rotated && version === 1) return { ...(await this.#newest(key, context)), keyVersion: 1 };
    const resource = arns.get(version);
    const reference = versionReference(key.path, version);
    if (resource === undefined || reference === undefined) {
      throw new BackendError("KEY_NOT_FOUND", `key "${key.name}" (${key.path}) has no version ${version}`, {
        key: key.name,
      });
    }
    const cached = this.#cached(key, resource);
    if (cached) return { ...cached, keyVersion: version, resource };
    return { ...(await this.#fetch(key, reference, context)), keyVersion: version };
  }

  /** Two names of one path may differ in their type: only one of them has this key. */
  #cached(key: KeyRef, resource: string | undefined): CachedKey | undefined {
    const cached = resource === undefined ? undefined : this.#byArn.get(resource);
    return cached?.keyType === key.keyType ? cached : undefined;
  }

  async #fetch(key: KeyRef, keyId: string, context: CallContext) {
    const { output, requestId } = await this.#calls.callOnce("GetPublicKey", key, { KeyId: keyId }, context);
    const fromKms = requestId === undefined ? {} : { backendRequestId: requestId };
    const missing = (member: string) => incompleteAnswer({ action: "GetPublicKey", key, keyId }, member, requestId);
    if (!(output.PublicKey instanceof Uint8Array)) throw missing("PublicKey");
    if (typeof output.KeyId !== "string") throw missing("KeyId");
    if (typeof output.KeySpec !== "string") throw missing("KeySpec");
    const { spec, usage } = onKms(key);
    if (output.KeySpec !== spec || output.KeyUsage !== usage) {
      const reason = `it is ${output.KeySpec} for ${output.KeyUsage}, ${key.keyType} needs ${spec} for ${usage}`;
      throw new BackendError(
        "KEY_UNUSABLE",
        `key "${key.name}" (${keyId}): ${reason}`,
        { key: key.name, reason },
        fromKms,
      );
    }
    const entry = readSpki(output.PublicKey, key, fromKms);
    this.#byArn.set(output.KeyId, entry);
    return { ...entry, resource: output.KeyId, ...fromKms };
  }
}

function readSpki(der: Uint8Array, key: KeyRef, fromKms: { backendRequestId?: string }): CachedKey {
  const refuse = (what: string, cause?: unknown) =>
    new BackendError(
      "PROTOCOL",
      `kms:GetPublicKey for key "${key.name}" answered with ${what}`,
      {},
      { ...fromKms, ...(cause !== undefined && { cause }) },
    );
  let keyType: string;
  try {
    keyType = spkiKeyType(der);
  } catch (cause) {
    throw refuse("what is not a public key in SPKI DER", cause);
  }
  if (keyType !== key.keyType) throw refuse(`a public key of ${keyType}`);
  const spki = Uint8Array.from(der);
  return { keyType, spki, keyObject: createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" }) };
}

function provenance({ resource, backendRequestId }: { resource: string; backendRequestId?: string }) {
  return { resource, ...(backendRequestId !== undefined && { backendRequestId }) };
}
