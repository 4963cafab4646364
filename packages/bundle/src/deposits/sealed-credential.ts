import { createHash, timingSafeEqual } from "node:crypto";
import { bech32 } from "@scure/base";
import { Decrypter, Encrypter } from "age-encryption";
import { ByteReader } from "../byte-reader.js";
import { BundleError } from "../errors.js";
import type { PayloadBackend } from "../payload.js";
import { bindingBytes, type DepositBinding } from "./deposit-record.js";

/**
 * An age file to the deposit recipient. Its plaintext is the SHA-256 of the binding, `u16` length and UTF-8 kind, and the
 * JSON text of the credential to the end: age has no associated data, so what it is bound to is inside.
 */
export async function sealCredential(
  recipient: Uint8Array,
  binding: DepositBinding,
  backend: Pick<PayloadBackend, "kind" | "json">,
): Promise<Uint8Array> {
  const kind = new TextEncoder().encode(backend.kind);
  const plaintext = new Uint8Array(34 + kind.length + backend.json.length);
  plaintext.set(digestOf(binding));
  new DataView(plaintext.buffer).setUint16(32, kind.length);
  plaintext.set(kind, 34);
  plaintext.set(backend.json, 34 + kind.length);
  try {
    const encrypter = new Encrypter();
    encrypter.addRecipient(bech32.encodeFromBytes("age", recipient));
    return await encrypter.encrypt(plaintext);
  } finally {
    plaintext.fill(0);
  }
}

/**
 * @returns Nothing when the sealed part cannot be opened or was made for another record.
 * @throws {@link BundleError} `MALFORMED` when it opens and holds no credential.
 */
export async function openCredential(
  depositKey: Uint8Array,
  binding: DepositBinding,
  sealed: Uint8Array,
): Promise<PayloadBackend | undefined> {
  let plaintext: Uint8Array;
  try {
    const decrypter = new Decrypter();
    // A string, because the library takes no bytes; it lives as long as the garbage collector lets it.
    decrypter.addIdentity(bech32.encodeFromBytes("AGE-SECRET-KEY-", depositKey).toUpperCase());
    plaintext = await decrypter.decrypt(sealed);
  } catch {
    return undefined;
  }
  try {
    const reader = new ByteReader(plaintext);
    if (!timingSafeEqual(reader.take(32, "binding"), digestOf(binding))) return undefined;
    const kind = new TextDecoder("utf-8", { fatal: true }).decode(reader.take(reader.u16("kind"), "kind"));
    const json = reader.take(reader.remaining, "credential").slice();
    try {
      JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json));
    } catch {
      json.fill(0);
      throw new BundleError("MALFORMED", "the deposited credential is not JSON", { field: "credential" });
    }
    return { id: binding.backend, kind, json };
  } catch (error) {
    if (error instanceof BundleError) throw error;
    throw new BundleError("MALFORMED", "the deposited credential is not well formed", { field: "credential" });
  } finally {
    plaintext.fill(0);
  }
}

function digestOf(binding: DepositBinding): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bindingBytes(binding)).digest());
}
