import { hkdf } from "node:crypto";
import { promisify } from "node:util";

const hkdfAsync = promisify(hkdf);

export type DerivedKeyUse = "clear-part" | "payload";

/** HKDF-SHA256 (RFC 5869) of the master key, with the bundle id as salt. 32 bytes; the caller zeroes them. */
export async function deriveKey(masterKey: Uint8Array, bundleId: Uint8Array, use: DerivedKeyUse): Promise<Uint8Array> {
  return new Uint8Array(await hkdfAsync("sha256", masterKey, bundleId, `basil-bundle/v1/${use}`, 32));
}
