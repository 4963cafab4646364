import { BackendError } from "@basil/core";
import { capabilities } from "./capabilities.js";
import { begin, requireSize, requireWanted } from "./checks.js";
import { KeyFiles } from "./key-files.js";
import { decryptWith, encryptWith, makeSecret, signWith, spkiOf, verifyWith } from "./key-material.js";

export const KIND = "sealed-files";
const SIGNATURE_BYTES = 64;
/** This backend does not rotate, so a key has one version. */
const VERSION = 1;

/**
 * @param {{ readonly id: string, readonly folder: string, readonly sealingKey: Uint8Array }} options
 * @returns {import("@basil/core").Backend}
 */
export function sealedFiles({ id, folder, sealingKey }) {
  const files = new KeyFiles(folder, sealingKey);
  /** @param {import("@basil/core").KeyRef} key */
  const used = (key) => ({ resource: `${KIND}:${folder}:${key.path}`, keyVersion: VERSION });

  /**
   * @param {import("@basil/core").KeyRef} key
   * @param {import("@basil/core").CallContext} context
   */
  const secretOf = async (key, context) => {
    const found = await files.read(key);
    requireWanted(context);
    if (found === undefined) throw new BackendError("KEY_NOT_FOUND", `no key at ${key.path}`, { key: key.name });
    if (found.keyType === key.keyType) return found.secret;
    const reason = `it is a ${found.keyType} key, not ${key.keyType}`;
    throw new BackendError("KEY_UNUSABLE", `key ${key.name}: ${reason}`, { key: key.name, reason });
  };

  return {
    id,
    kind: KIND,
    capabilities,
    transit: {
      async sign(key, message, context) {
        requireSize("message", message, begin(key, "sign", context).message);
        return { signature: signWith(key.keyType, await secretOf(key, context), message), ...used(key) };
      },
      async verify(key, message, signature, context) {
        const { keyType } = key;
        requireSize("message", message, begin(key, "verify", context).message);
        if (signature.length !== SIGNATURE_BYTES)
          throw new BackendError("SIGNATURE_MALFORMED", `${signature.length} bytes, not ${SIGNATURE_BYTES}`, {
            keyType,
          });
        return { valid: verifyWith(keyType, await secretOf(key, context), message, signature), ...used(key) };
      },
      async publicKey(key, context, { version = VERSION } = {}) {
        begin(key, "publicKey", context);
        const secret = await secretOf(key, context);
        if (version !== VERSION) throw noVersion(key, version);
        return { publicKey: spkiOf(secret), keyType: key.keyType, ...used(key) };
      },
      async encrypt(key, plaintext, aad, context) {
        requireSize("plaintext", plaintext, begin(key, "encrypt", context).plaintext);
        const sealed = encryptWith(await secretOf(key, context), plaintext, aad);
        return { envelope: { keyVersion: VERSION, ...sealed }, resource: used(key).resource };
      },
      async decrypt(key, envelope, aad, context) {
        begin(key, "decrypt", context);
        const secret = await secretOf(key, context);
        if (envelope.keyVersion !== VERSION) throw noVersion(key, envelope.keyVersion);
        return { plaintext: decryptWith(secret, envelope, aad), ...used(key) };
      },
      async createKey(key, context) {
        begin(key, "createKey", context);
        const secret = makeSecret(key.keyType);
        await files.create(key, { keyType: key.keyType, secret });
        return { ...used(key), ...(key.keyType !== "aes-256-gcm" && { publicKey: spkiOf(secret) }) };
      },
    },
    async probe(key, context) {
      begin(key, "createKey", context);
      const { resource } = used(key);
      try {
        const found = await files.read(key);
        requireWanted(context);
        if (found === undefined) return { state: "absent" };
        if (found.keyType === key.keyType)
          return { state: "present", latestVersion: VERSION, resource, keyType: found.keyType };
        return { state: "unusable", reason: `it is a ${found.keyType} key, not ${key.keyType}`, resource };
      } catch (error) {
        if (!(error instanceof BackendError) || error.code !== "KEY_UNUSABLE") throw error;
        return { state: "unusable", reason: error.message, resource };
      }
    },
    health: async () => ({ healthy: true }),
    [Symbol.asyncDispose]: async () => files.forget(),
  };
}

/**
 * @param {import("@basil/core").KeyRef} key
 * @param {number} version
 */
function noVersion(key, version) {
  return new BackendError("KEY_NOT_FOUND", `key ${key.name} has no version ${version}`, { key: key.name });
}
