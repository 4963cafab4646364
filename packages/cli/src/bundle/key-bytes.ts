import { BundleError } from "@basil/bundle";

/** 32 key bytes of a file. Raw bytes are taken as they are, whatever they end in; hex and base64 are told by their length. */
export function keyBytes(flag: string, path: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 32) return new Uint8Array(bytes);
  const text = new TextDecoder().decode(bytes).trim();
  if (/^[0-9a-fA-F]{64}$/.test(text)) return new Uint8Array(Buffer.from(text, "hex"));
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return new Uint8Array(Buffer.from(text, "base64"));
  throw new BundleError(
    "KEY_INVALID",
    `${flag}: ${path} holds ${bytes.length} bytes; 32 raw bytes, 64 hex digits or 43 characters base64 are allowed`,
    { field: flag },
  );
}
