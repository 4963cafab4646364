import {
  type Backend,
  BackendError,
  type ByteRange,
  type CallContext,
  type Capabilities,
  type KeyRef,
  type TransitEngine,
  type TransitOperation,
} from "@basil/core";
import { signatureLength } from "../signature.js";
import {
  isMemoryKeyType,
  isSigningKeyType,
  MEMORY_KEY_TYPES,
  type MemoryKeyType,
  type MemoryKeyVersion,
  makeKeyVersion,
} from "./memory-key.js";
import { memoryValues } from "./memory-values.js";
import { throwIfStopped } from "./stopped.js";

export interface MemoryBackendOptions {
  /** "memory" by default. */
  readonly id?: string;
  /** The sizes it takes; any by default. */
  readonly message?: ByteRange;
  readonly plaintext?: ByteRange;
}

interface Held {
  readonly keyType: MemoryKeyType;
  readonly versions: MemoryKeyVersion[];
}

/**
 * Real keys by node:crypto in this process's memory, for tests and as the shortest backend there is: engines transit
 * and kv2, versions by rotate. Nothing is protected and nothing survives the process.
 */
export function memoryBackend(options: MemoryBackendOptions = {}): Backend {
  const { id = "memory", message = { min: 0 }, plaintext = { min: 0 } } = options;
  const held = new Map<string, Held>();
  const capabilities = capabilitiesOf(message, plaintext);

  /** Every call begins here: what is not claimed is refused, and nothing starts for a caller that is gone. */
  const begin = (key: KeyRef, operation: TransitOperation, context: CallContext): MemoryKeyType => {
    const { keyType } = key;
    const claimed = capabilities.keyTypes[keyType];
    if (!claimed || !isMemoryKeyType(keyType)) {
      throw new BackendError("UNSUPPORTED_ALGORITHM", `no ${keyType} keys here`, { keyType });
    }
    if (!claimed.operations.includes(operation)) {
      throw new BackendError("UNSUPPORTED", `a ${keyType} key has no ${operation}`, { operation });
    }
    throwIfStopped(context);
    return keyType;
  };
  const find = (key: KeyRef): Held => {
    const found = held.get(key.path);
    if (!found) throw notFound(key, "key");
    if (found.keyType === key.keyType) return found;
    const reason = `it is a ${found.keyType} key, not ${key.keyType}`;
    throw new BackendError("KEY_UNUSABLE", `key ${key.name}: ${reason}`, { key: key.name, reason });
  };
  /** The version asked for, or the newest, and its number. */
  const pick = (key: KeyRef, asked?: number): [MemoryKeyVersion, { keyVersion: number; resource: string }] => {
    const { versions } = find(key);
    const keyVersion = asked ?? versions.length;
    const version = versions[keyVersion - 1];
    if (!version) throw notFound(key, `version ${keyVersion}`);
    return [version, { keyVersion, resource: `memory:${key.path}` }];
  };

  const transit: TransitEngine = {
    async sign(key, text, context) {
      begin(key, "sign", context);
      requireSize("message", text, message);
      const [version, provenance] = pick(key);
      return { signature: version.sign(text), ...provenance };
    },
    async verify(key, text, signature, context) {
      const keyType = begin(key, "verify", context);
      requireSize("message", text, message);
      if (signature.length !== signatureLength(keyType)) {
        throw new BackendError("SIGNATURE_MALFORMED", `a ${keyType} signature of ${signature.length} bytes`, {
          keyType,
        });
      }
      const [, newest] = pick(key);
      const by = find(key).versions.findLastIndex((version) => version.verify(text, signature));
      return by < 0 ? { valid: false, ...newest } : { valid: true, ...newest, keyVersion: by + 1 };
    },
    async publicKey(key, context, { version } = {}) {
      const keyType = begin(key, "publicKey", context);
      const [{ publicKey = new Uint8Array() }, provenance] = pick(key, version);
      return { publicKey: Uint8Array.from(publicKey), keyType, ...provenance };
    },
    async encrypt(key, text, aad, context) {
      begin(key, "encrypt", context);
      requireSize("plaintext", text, plaintext);
      const [version, { keyVersion, resource }] = pick(key);
      return { envelope: { keyVersion, ...version.encrypt(text, aad) }, resource };
    },
    async decrypt(key, envelope, aad, context) {
      begin(key, "decrypt", context);
      const [version, provenance] = pick(key, envelope.keyVersion);
      return { plaintext: version.decrypt(envelope, aad), ...provenance };
    },
    async createKey(key, context) {
      const keyType = begin(key, "createKey", context);
      if (held.has(key.path)) throw new BackendError("KEY_EXISTS", `a key is at ${key.path}`, { key: key.name });
      const version = makeKeyVersion(keyType);
      held.set(key.path, { keyType, versions: [version] });
      const provenance = { keyVersion: 1, resource: `memory:${key.path}` };
      return version.publicKey ? { ...provenance, publicKey: Uint8Array.from(version.publicKey) } : provenance;
    },
    async rotate(key, context) {
      const keyType = begin(key, "rotate", context);
      const { versions } = find(key);
      return { keyVersion: versions.push(makeKeyVersion(keyType)), resource: `memory:${key.path}` };
    },
  };

  return {
    id,
    kind: "memory",
    capabilities,
    transit,
    kv2: memoryValues(),
    async probe(key, context) {
      begin(key, "createKey", context);
      const found = held.get(key.path);
      if (!found) return { state: "absent" };
      const resource = `memory:${key.path}`;
      const { keyType, versions } = found;
      return keyType === key.keyType
        ? { state: "present", latestVersion: versions.length, resource, keyType }
        : { state: "unusable", reason: `it is a ${keyType} key, not ${key.keyType}`, resource };
    },
    health: async () => ({ healthy: true }),
    [Symbol.asyncDispose]: async () => held.clear(),
  };
}

function capabilitiesOf(message: ByteRange, plaintext: ByteRange): Capabilities {
  const keyTypes = (Object.keys(MEMORY_KEY_TYPES) as MemoryKeyType[]).map((keyType) => [
    keyType,
    isSigningKeyType(keyType)
      ? { operations: ["sign", "verify", "publicKey", "createKey", "rotate"], message }
      : { operations: ["encrypt", "decrypt", "createKey", "rotate"], plaintext },
  ]);
  return { engines: ["transit", "kv2"], keyTypes: Object.fromEntries(keyTypes), features: [] };
}

function requireSize(what: string, { length }: Uint8Array, { min, max = Number.POSITIVE_INFINITY }: ByteRange): void {
  if (length < min) throw new BackendError("INVALID_REQUEST", `${what}: ${length} bytes, at least ${min}`, {});
  if (length <= max) return;
  throw new BackendError("PAYLOAD_TOO_LARGE", `${what}: ${length} bytes, at most ${max}`, {
    limit: max,
    actual: length,
  });
}

function notFound(key: KeyRef, what: string): BackendError {
  return new BackendError("KEY_NOT_FOUND", `no ${what} at ${key.path}`, { key: key.name });
}
