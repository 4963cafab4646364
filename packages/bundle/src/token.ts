/** Base64url without padding (RFC 4648 §5), the one spelling of bytes in text here. */
export function encodeToken(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/** The bytes of a token, or nothing when it is not the one spelling of them, or not `length` bytes. */
export function decodeToken(token: string, length?: number): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(token)) return undefined;
  const bytes = new Uint8Array(Buffer.from(token, "base64url"));
  if (encodeToken(bytes) !== token || (length !== undefined && bytes.length !== length)) return undefined;
  return bytes;
}
