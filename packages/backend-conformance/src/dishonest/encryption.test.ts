import { BackendError, type TransitEngine } from "@basil/core";
import { fail, testLies, transit } from "./lie.js";

testLies([
  [
    "gives a plaintext that it keeps",
    "encrypt",
    /^aes-256-gcm: what is encrypted/,
    transit((honest) => {
      const kept = new Map<string, Uint8Array>();
      return {
        decrypt: async (key, envelope, aad, context) => {
          const result = await honest.decrypt(key, envelope, aad, context);
          const name = Buffer.from(envelope.ciphertext).toString("hex");
          const plaintext = kept.get(name) ?? result.plaintext;
          kept.set(name, plaintext);
          return { ...result, plaintext };
        },
      };
    }),
  ],
  [
    "does not encrypt",
    "encrypt",
    /^aes-256-gcm: what is encrypted/,
    transit((honest) => ({
      encrypt: async (key, plaintext, aad, context) => {
        const sealed = await honest.encrypt(key, plaintext, aad, context);
        return {
          ...sealed,
          envelope: { ...sealed.envelope, ciphertext: Uint8Array.of(...sealed.envelope.ciphertext, ...plaintext) },
        };
      },
      decrypt: (key, { ciphertext, ...rest }, aad, context) =>
        honest.decrypt(key, { ...rest, ciphertext: ciphertext.subarray(0, -32) }, aad, context),
    })),
  ],
  [
    "encrypts alike each time",
    "encrypt",
    /^aes-256-gcm: the same plaintext/,
    (honest) => {
      const sealed = new Map<string, Awaited<ReturnType<TransitEngine["encrypt"]>>>();
      return transit((engine) => ({
        encrypt: async (key, plaintext, aad, context) => {
          const id = `${key.path} ${Buffer.from(plaintext).toString("hex")} ${aad?.length}`;
          const answer = sealed.get(id) ?? (await engine.encrypt(key, plaintext, aad, context));
          sealed.set(id, answer);
          return answer;
        },
      }))(honest);
    },
  ],
  [
    "encrypts over its limit",
    "encrypt",
    /^aes-256-gcm: plaintexts at each end/,
    transit((honest) => ({
      encrypt: (key, plaintext, aad, context) =>
        plaintext.length > 100 ? fail("KEY_NOT_FOUND") : honest.encrypt(key, plaintext, aad, context),
    })),
  ],
  [
    "ignores the AAD",
    "decrypt",
    /^aes-256-gcm: another AAD/,
    transit((honest) => ({
      encrypt: (key, plaintext, _aad, context) => honest.encrypt(key, plaintext, undefined, context),
      decrypt: (key, envelope, _aad, context) => honest.decrypt(key, envelope, undefined, context),
    })),
  ],
  [
    "takes an absent AAD for an empty one",
    "decrypt",
    /^aes-256-gcm: another AAD/,
    transit((honest) => ({
      encrypt: (key, plaintext, aad, context) => honest.encrypt(key, plaintext, aad ?? new Uint8Array(), context),
      decrypt: (key, envelope, aad, context) => honest.decrypt(key, envelope, aad ?? new Uint8Array(), context),
    })),
  ],
  [
    "tells damage apart by its message",
    "decrypt",
    /^aes-256-gcm: another key and any/,
    transit((honest) => ({
      decrypt: (key, envelope, aad, context) =>
        honest.decrypt(key, envelope, aad, context).catch((error) => {
          throw error.code === "DECRYPT_FAILED"
            ? new BackendError("DECRYPT_FAILED", `${envelope.ciphertext.length} bytes`, {})
            : error;
        }),
    })),
  ],
  [
    "tells a cut ciphertext apart by its code",
    "decrypt",
    /^aes-256-gcm: another key and any/,
    transit((honest) => ({
      decrypt: (key, envelope, aad, context) =>
        envelope.ciphertext.length % 2 === 1 ? fail("INVALID_REQUEST") : honest.decrypt(key, envelope, aad, context),
    })),
  ],
  [
    "opens an envelope of a version that is not there",
    "decrypt",
    /^aes-256-gcm: a version/,
    transit((honest) => ({
      decrypt: (key, envelope, aad, context) => honest.decrypt(key, { ...envelope, keyVersion: 1 }, aad, context),
    })),
  ],
]);
