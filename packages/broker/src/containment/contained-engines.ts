import {
  type Backend,
  type CallContext,
  type CiphertextEnvelope,
  type KeyProbe,
  type KeyRef,
  type Kv2Engine,
  type PkiEngine,
  signatureBytes,
  type TransitEngine,
} from "@basil/core";
import type { Answer } from "./answer.js";
import { containedCall } from "./contained-call.js";

/** An RSA key of 16,384 bits has 2,086 bytes of SPKI, an ML-DSA-87 key 2,614. */
const MAX_PUBLIC_KEY = 16_384;
const MAX_SIGNATURE = 16_384;
const MAX_NONCE = 256;
/** What a ciphertext may be longer than its plaintext: tags, headers, the names of keys. */
const CIPHERTEXT_OVERHEAD = 16_384;
const MAX_VALUE = 4_194_304;

/** The engine behind answers that are held to the contract. Its methods are looked up when they are called. */
export function containedTransit(backend: Backend): TransitEngine {
  const engine = () => backend.transit as TransitEngine;
  const contained: TransitEngine = {
    sign(key, message, context) {
      const width = signatureBytes(key.keyType);
      const range = width === undefined ? { min: 1, max: MAX_SIGNATURE } : { min: width, max: width };
      const copy = new Uint8Array(message);
      return call(
        backend,
        "sign",
        key,
        context,
        (ref, it) => engine().sign(ref, copy, it),
        (answer) => ({
          signature: answer.bytes("signature", range),
          keyVersion: answer.wholeNumber("keyVersion", 0),
          ...answer.provenance(),
        }),
      );
    },
    verify(key, message, signature, context) {
      return call(
        backend,
        "verify",
        key,
        context,
        (ref, it) => engine().verify(ref, message, signature, it),
        (answer) => ({
          valid: answer.flag("valid"),
          keyVersion: answer.wholeNumber("keyVersion", 0),
          ...answer.provenance(),
        }),
      );
    },
    publicKey(key, context, options = {}) {
      const work = (ref: KeyRef, it: CallContext) => engine().publicKey(ref, it, options);
      return call(backend, "publicKey", key, context, work, (answer) => {
        const keyType = answer.keyType("keyType");
        if (!sameType(keyType, key.keyType))
          throw answer.wrong(`gave a key of type ${keyType}, asked for ${key.keyType}`);
        return {
          publicKey: answer.bytes("publicKey", { min: 1, max: MAX_PUBLIC_KEY }),
          keyType,
          keyVersion: answer.wholeNumber("keyVersion", 0),
          ...answer.provenance(),
        };
      });
    },
    encrypt(key, plaintext, aad, context) {
      const work = (ref: KeyRef, it: CallContext) => engine().encrypt(ref, plaintext, aad, it);
      return call(backend, "encrypt", key, context, work, (answer) => ({
        envelope: envelopeOf(answer.object("envelope"), plaintext.length),
        ...answer.provenance(),
      }));
    },
    decrypt(key, envelope, aad, context) {
      const work = (ref: KeyRef, it: CallContext) => engine().decrypt(ref, envelope, aad, it);
      return call(backend, "decrypt", key, context, work, (answer) => ({
        plaintext: answer.handedOver("plaintext", { max: envelope.ciphertext.length }),
        keyVersion: answer.wholeNumber("keyVersion", 0),
        ...answer.provenance(),
      }));
    },
    createKey(key, context) {
      return call(
        backend,
        "createKey",
        key,
        context,
        (ref, it) => engine().createKey(ref, it),
        (answer) => ({
          keyVersion: answer.wholeNumber("keyVersion", 0),
          ...(answer.raw("publicKey") !== undefined && {
            publicKey: answer.bytes("publicKey", { min: 1, max: MAX_PUBLIC_KEY }),
          }),
          ...answer.provenance(),
        }),
      );
    },
  };
  if (engine().rotate === undefined) return contained;
  return {
    ...contained,
    rotate(key, context) {
      return call(
        backend,
        "rotate",
        key,
        context,
        (ref, it) => engine().rotate?.(ref, it),
        (answer) => ({
          keyVersion: answer.wholeNumber("keyVersion", 0),
          ...answer.provenance(),
        }),
      );
    },
  };
}

export function containedKv2(backend: Backend): Kv2Engine {
  const engine = () => backend.kv2 as Kv2Engine;
  return {
    get(path, context, options = {}) {
      return containedCall(
        backend,
        "get",
        path,
        context,
        (it) => engine().get(path, it, options),
        (answer) => ({
          value: answer.bytes("value", { max: MAX_VALUE }),
          version: answer.wholeNumber("version", 0),
          ...answer.provenance(),
        }),
      );
    },
    put(path, value, context, options = {}) {
      return containedCall(
        backend,
        "put",
        path,
        context,
        (it) => engine().put(path, value, it, options),
        (answer) => ({
          version: answer.wholeNumber("version", 0),
          ...answer.provenance(),
        }),
      );
    },
    probe(path, context) {
      return containedCall(backend, "probe", path, context, (it) => engine().probe(path, it), probeOf);
    },
  };
}

export function containedPki(backend: Backend): PkiEngine {
  return {
    issue(path, request, context) {
      const work = (it: CallContext) => backend.pki?.issue(path, request, it);
      return containedCall(backend, "issue", path, context, work, (answer) => ({
        chain: certificates(answer, "chain"),
        privateKey: answer.bytes("privateKey", { min: 1, max: MAX_PUBLIC_KEY }),
        caChain: certificates(answer, "caChain"),
        ...answer.provenance(),
      }));
    },
  };
}

export function probeOf(answer: Answer): KeyProbe {
  const state = answer.raw("state");
  if (state === "absent") return { state };
  if (state === "unusable") {
    const resource = answer.optionalText("resource");
    return { state, reason: answer.text("reason"), ...(resource !== undefined && { resource }) };
  }
  if (state !== "present") throw answer.wrong("gave a state that is none of absent, present, unusable");
  return {
    state,
    latestVersion: answer.wholeNumber("latestVersion", 0),
    resource: answer.text("resource"),
    ...(answer.raw("keyType") !== undefined && { keyType: answer.keyType("keyType") }),
  };
}

function call<T>(
  backend: Backend,
  operation: string,
  key: KeyRef,
  context: CallContext,
  work: (key: KeyRef, context: CallContext) => unknown,
  read: (answer: Answer) => T,
): Promise<T> {
  const ref = Object.freeze({ ...key });
  return containedCall(backend, operation, key.name, context, (it) => work(ref, it), read);
}

function envelopeOf(answer: Answer, plaintextBytes: number): CiphertextEnvelope {
  return {
    keyVersion: answer.wholeNumber("keyVersion", 0),
    nonce: answer.bytes("nonce", { max: MAX_NONCE }),
    ciphertext: answer.bytes("ciphertext", { min: plaintextBytes, max: plaintextBytes + CIPHERTEXT_OVERHEAD }),
  };
}

function certificates(answer: Answer, name: string): Uint8Array[] {
  const list = answer.raw(name);
  if (!Array.isArray(list)) throw answer.wrong(`gave no list as ${name}`);
  const items = answer.object(name);
  return list.map((_, index) => items.bytes(String(index), { min: 1, max: MAX_VALUE }));
}

/** The key itself does not say that a catalog writes it as an NKey. */
function sameType(found: string, asked: string): boolean {
  return found === asked || (found === "ed25519" && asked === "ed25519-nkey");
}
