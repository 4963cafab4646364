import { createHash } from "node:crypto";
import { BackendError, ecdsaRawToDer, isEcdsaKeyType, type TransitEngine } from "@basil/core";
import { claims, fail, testLies, transit } from "./lie.js";

testLies([
  [
    "serves an operation it does not claim",
    "sign",
    /^ecdsa-p256/,
    claims(({ keyTypes }) => ({ keyTypes: { ...keyTypes, "ecdsa-p256": { operations: ["verify"] } } })),
  ],
  [
    "signs in DER",
    "sign",
    /^ecdsa-p256: a signature has/,
    transit((honest) => ({
      sign: async (key, message, context) => {
        const signed = await honest.sign(key, message, context);
        return isEcdsaKeyType(key.keyType)
          ? { ...signed, signature: ecdsaRawToDer(signed.signature, key.keyType) }
          : signed;
      },
    })),
  ],
  [
    "hashes before Ed25519",
    "sign",
    /^ed25519: a signature has/,
    transit((honest) => ({
      sign: (key, message, context) => honest.sign(key, createHash("sha512").update(message).digest(), context),
    })),
  ],
  [
    "takes a message as long as a digest for a digest",
    "sign",
    /^ecdsa-p384: the whole message/,
    transit((honest) => ({
      sign: (key, message, context) =>
        honest.sign(key, message.length === 48 ? message.toReversed() : message, context),
    })),
  ],
  [
    "signs only the beginning of a long message",
    "sign",
    /^ecdsa-p521: messages at each end/,
    transit((honest) => ({
      sign: (key, message, context) => honest.sign(key, message.subarray(0, 64), context),
    })),
  ],
  [
    "signs a message over its limit",
    "sign",
    /^ed25519: messages at each end/,
    transit((honest) => ({
      sign: (key, message, context) => honest.sign(key, message.subarray(0, 100), context),
    })),
  ],
  [
    "signs an empty message against its range",
    "sign",
    /^ed25519: messages at each end/,
    transit((honest) => ({
      sign: (key, message, context) => honest.sign(key, message.length === 0 ? Uint8Array.of(0) : message, context),
    })),
  ],
  [
    "says the wrong limit",
    "sign",
    /^ed25519: messages at each end/,
    transit((honest) => ({
      sign: (key, message, context) =>
        message.length > 100
          ? Promise.reject(new BackendError("PAYLOAD_TOO_LARGE", "", { limit: 1, actual: 2 }))
          : honest.sign(key, message, context),
    })),
  ],
  [
    "writes into the caller's message",
    "sign",
    /^ed25519: the message is left/,
    transit((honest) => ({
      sign: (key, message, context) => honest.sign(key, message, context).finally(() => message.fill(0)),
    })),
  ],
  [
    "answers with bytes it keeps",
    "sign",
    /^ed25519: the message is left/,
    (honest) => {
      const kept = new Map<string, Awaited<ReturnType<TransitEngine["sign"]>>>();
      return transit(() => ({
        sign: async (key, message, context) => {
          const signed = kept.get(key.path) ?? (await honest.transit!.sign(key, message, context));
          kept.set(key.path, signed);
          return signed;
        },
      }))(honest);
    },
  ],
  [
    "does not say which key it used",
    "sign",
    /^ed25519: a signature has/,
    transit((honest) => ({
      sign: async (key, message, context) => ({ ...(await honest.sign(key, message, context)), resource: "" }),
    })),
  ],
  [
    "says that everything verifies",
    "verify",
    /^ecdsa-p256: the backend verifies/,
    transit((honest) => ({
      verify: async (key, message, signature, context) => ({
        ...(await honest.verify(key, message, signature, context)),
        valid: true,
      }),
    })),
  ],
  [
    "says that nothing verifies",
    "verify",
    /^ecdsa-p256: the backend verifies/,
    transit((honest) => ({
      verify: async (key, message, signature, context) => ({
        ...(await honest.verify(key, message, signature, context)),
        valid: false,
      }),
    })),
  ],
  [
    "throws for a wrong signature",
    "verify",
    /^ecdsa-p256: the backend verifies/,
    transit((honest) => ({
      verify: async (key, message, signature, context) => {
        const answer = await honest.verify(key, message, signature, context);
        return answer.valid ? answer : fail("REJECTED");
      },
    })),
  ],
  [
    "takes r and s of zero",
    "verify",
    /^ecdsa-p256: no crafted/,
    transit((honest) => ({
      verify: async (key, message, signature, context) => {
        const answer = await honest.verify(key, message, signature, context);
        return { ...answer, valid: answer.valid || signature.every((byte) => byte === 0) };
      },
    })),
  ],
  [
    "says false for a signature of another width",
    "verify",
    /^ecdsa-p256: a signature of another width/,
    transit((honest) => ({
      verify: (key, message, signature, context) =>
        honest.verify(key, message, signature, context).catch(() => ({ valid: false, keyVersion: 1, resource: "x" })),
    })),
  ],
  [
    "answers with a public key that is not SPKI",
    "publicKey",
    /^ecdsa-p256: it is SPKI/,
    transit((honest) => ({
      publicKey: async (key, context, options) => {
        const answer = await honest.publicKey(key, context, options);
        return { ...answer, publicKey: answer.publicKey.subarray(-65) };
      },
    })),
  ],
  [
    "answers with one public key for all",
    "publicKey",
    /^ecdsa-p256: it is SPKI/,
    (honest) => {
      let first: Awaited<ReturnType<TransitEngine["publicKey"]>> | undefined;
      return transit((engine) => ({
        publicKey: async (key, context, options) => {
          first ??= await engine.publicKey(key, context, options);
          return { ...first, publicKey: first.publicKey.slice() };
        },
      }))(honest);
    },
  ],
  [
    "ignores the version",
    "publicKey",
    /^ecdsa-p256: a version is answered/,
    transit((honest) => ({
      publicKey: (key, context) => honest.publicKey(key, context),
    })),
  ],
]);
