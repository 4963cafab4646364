import { type ImportRequest, KEY_TYPE_NUMBERS, type KeyTypeName } from "@basil/proto";
import { oneOf } from "./one-of.js";

/** A private key from outside: 32 bytes of Ed25519 (RFC 8032 §5.1.5), or PKCS#8 in DER (RFC 5958). */
export type KeyMaterial = { readonly ed25519Seed: Uint8Array } | { readonly pkcs8: Uint8Array };

/** A key to import, and the catalog's entry it is for. */
export interface ImportedKey {
  readonly keyId: string;
  /** The type in the catalog. */
  readonly keyType: KeyTypeName;
  readonly material: KeyMaterial;
}

type WireMaterial = NonNullable<ImportRequest["material"]>["material"];

/** @throws TypeError */
export function importEntry({ keyId, keyType, material }: ImportedKey) {
  return { keyId, keyType: oneOf(KEY_TYPE_NUMBERS, "keyType", keyType), material: wireMaterial(material) };
}

function wireMaterial(material: KeyMaterial): { material: WireMaterial } {
  if ("ed25519Seed" in material) return { material: { case: "ed25519Seed", value: material.ed25519Seed } };
  if ("pkcs8" in material) return { material: { case: "pkcs8Der", value: material.pkcs8 } };
  throw new TypeError("material must have ed25519Seed or pkcs8");
}
