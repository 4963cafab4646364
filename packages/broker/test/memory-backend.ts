import {
  createCipheriv,
  createDecipheriv,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign as signWith,
  verify as verifyWith,
} from "node:crypto";
import type { KeyType } from "@basil/catalog";
import {
  type Backend,
  BackendError,
  type CallContext,
  type Capabilities,
  type KeyRef,
  type KeyTypeCapabilities,
  type TransitEngine,
} from "@basil/core";

type Entry =
  | { keyType: KeyType; privateKey: KeyObject; publicKey: KeyObject }
  | { keyType: "aes-256-gcm"; secret: Uint8Array };

const CURVES: Readonly<Partial<Record<KeyType, { namedCurve: string; hash: string }>>> = {
  "ecdsa-p256": { namedCurve: "P-256", hash: "sha256" },
  "ecdsa-p384": { namedCurve: "P-384", hash: "sha384" },
  "ecdsa-p521": { namedCurve: "P-521", hash: "sha512" },
};
const SIGNS: KeyTypeCapabilities = { operations: ["sign", "verify", "publicKey", "createKey"] };
const CAPABILITIES: Capabilities = {
  engines: ["transit"],
  keyTypes: {
    ed25519: { ...SIGNS, message: { min: 0, max: 4096 } },
    "ecdsa-p256": SIGNS,
    "ecdsa-p384": SIGNS,
    "ecdsa-p521": SIGNS,
    "aes-256-gcm": { operations: ["encrypt", "decrypt", "createKey"], plaintext: { min: 1, max: 4096 } },
  },
  features: [],
};

/** A backend of real keys in this process, with a hook before every call to make it slow, broken or absent. */
export interface MemoryBackend extends Backend {
  readonly keys: Map<string, Entry>;
  readonly calls: { operation: string; path: string; context: CallContext }[];
  before: (operation: string, key: KeyRef, context: CallContext) => Promise<void> | void;
  disposed: boolean;
}

export function memoryBackend(id = "mem", kind = "aws-kms"): MemoryBackend {
  const keys = new Map<string, Entry>();
  const calls: MemoryBackend["calls"] = [];
  const enter = async (operation: string, key: KeyRef, context: CallContext) => {
    calls.push({ operation, path: key.path, context });
    await backend.before(operation, key, context);
    return { resource: `memory:${key.path}`, backendRequestId: `call-${calls.length}`, keyVersion: 1 };
  };
  const find = (key: KeyRef) => {
    const entry = keys.get(key.path);
    if (!entry) throw new BackendError("KEY_NOT_FOUND", `no key at ${key.path}`, { key: key.name });
    return entry;
  };
  const pair = (key: KeyRef) => {
    const entry = find(key);
    if ("secret" in entry) throw new BackendError("KEY_UNUSABLE", "symmetric", { key: key.name, reason: "symmetric" });
    return entry;
  };
  const secret = (key: KeyRef) => {
    const entry = find(key);
    if (!("secret" in entry)) throw new BackendError("KEY_UNUSABLE", "asymmetric", { key: key.name, reason: "usage" });
    return entry.secret;
  };
  const transit: TransitEngine = {
    async sign(key, message, context) {
      const used = await enter("sign", key, context);
      const { privateKey, keyType } = pair(key);
      const options = { key: privateKey, dsaEncoding: "ieee-p1363" } as const;
      return { ...used, signature: new Uint8Array(signWith(CURVES[keyType]?.hash, message, options)) };
    },
    async verify(key, message, signature, context) {
      const used = await enter("verify", key, context);
      const { publicKey, keyType } = pair(key);
      const options = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
      return { ...used, valid: verifyWith(CURVES[keyType]?.hash, message, options, signature) };
    },
    async publicKey(key, context) {
      const used = await enter("publicKey", key, context);
      const { publicKey, keyType } = pair(key);
      return { ...used, keyType, publicKey: new Uint8Array(publicKey.export({ type: "spki", format: "der" })) };
    },
    async encrypt(key, plaintext, aad, context) {
      const { keyVersion, ...used } = await enter("encrypt", key, context);
      const nonce = new Uint8Array(randomBytes(12));
      const cipher = createCipheriv("aes-256-gcm", secret(key), nonce).setAAD(tagged(aad));
      const ciphertext = new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
      return { ...used, envelope: { keyVersion, nonce, ciphertext } };
    },
    async decrypt(key, { nonce, ciphertext }, aad, context) {
      const used = await enter("decrypt", key, context);
      try {
        const decipher = createDecipheriv("aes-256-gcm", secret(key), nonce).setAAD(tagged(aad));
        decipher.setAuthTag(ciphertext.subarray(-16));
        const plaintext = Buffer.concat([decipher.update(ciphertext.subarray(0, -16)), decipher.final()]);
        return { ...used, plaintext: new Uint8Array(plaintext) };
      } catch (cause) {
        throw new BackendError("DECRYPT_FAILED", "decrypt failed", {}, { cause });
      }
    },
    async createKey(key, context) {
      const used = await enter("createKey", key, context);
      if (keys.has(key.path)) throw new BackendError("KEY_EXISTS", `a key is at ${key.path}`, { key: key.name });
      const entry = newEntry(key.keyType);
      keys.set(key.path, entry);
      if ("secret" in entry) return used;
      return { ...used, publicKey: new Uint8Array(entry.publicKey.export({ type: "spki", format: "der" })) };
    },
  };
  const backend: MemoryBackend = {
    id,
    kind,
    capabilities: structuredClone(CAPABILITIES),
    transit,
    keys,
    calls,
    before: () => {},
    disposed: false,
    async probe(key, context) {
      const { resource } = await enter("probe", key, context);
      const entry = keys.get(key.path);
      return entry ? { state: "present", latestVersion: 1, resource, keyType: entry.keyType } : { state: "absent" };
    },
    async health() {
      return { healthy: true };
    },
    async [Symbol.asyncDispose]() {
      backend.disposed = true;
    },
  };
  return backend;
}

/** AAD that is absent and AAD that is empty are different contexts. */
function tagged(aad: Uint8Array | undefined): Uint8Array {
  return aad === undefined ? Uint8Array.of(0) : Uint8Array.from([1, ...aad]);
}

function newEntry(keyType: KeyType): Entry {
  if (keyType === "aes-256-gcm") return { keyType, secret: new Uint8Array(randomBytes(32)) };
  if (keyType === "ed25519") return { keyType, ...generateKeyPairSync("ed25519") };
  const curve = CURVES[keyType];
  if (!curve) throw new BackendError("UNSUPPORTED_ALGORITHM", `no ${keyType}`, { keyType });
  return { keyType, ...generateKeyPairSync("ec", { namedCurve: curve.namedCurve }) };
}

/** From now on every call waits until it is released; `called` settles with the first of them. */
export function hold(backend: MemoryBackend): { readonly called: Promise<void>; release(): void } {
  const first = Promise.withResolvers<void>();
  const { promise, resolve } = Promise.withResolvers<void>();
  backend.before = () => {
    first.resolve();
    return promise;
  };
  return { called: first.promise, release: resolve };
}
