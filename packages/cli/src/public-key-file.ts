/** The widths of uncompressed points (SEC 1 §2.3.3), which begin with this byte; no text does. */
const POINTS = { 65: "ecdsa-p256", 97: "ecdsa-p384", 133: "ecdsa-p521" } as const;
const UNCOMPRESSED = 0x04;
/** Shorter than any text that holds a key. */
const ED25519_BYTES = 32;
/** The tag of a SEQUENCE, with which DER begins. */
const DER_SEQUENCE = 0x30;

/**
 * SPKI DER of a public key in any form that `basil pubkey` prints: PEM, JWK, SSH, raw or DER.
 *
 * @throws BackendError of core, `PUBLIC_KEY_MALFORMED` or `UNSUPPORTED_ALGORITHM`.
 */
export async function publicKeyOf(file: Uint8Array): Promise<Uint8Array> {
  const { BackendError, jwkToSpki, pemToSpki, rawToSpki, spkiKeyType, sshToSpki } = await import("@basil/core");
  if (file.length === ED25519_BYTES) return rawToSpki(file, "ed25519");
  const point = file[0] === UNCOMPRESSED ? POINTS[file.length as keyof typeof POINTS] : undefined;
  if (point !== undefined) return rawToSpki(file, point);
  if (file[0] === DER_SEQUENCE) {
    spkiKeyType(file);
    return file;
  }
  const text = new TextDecoder().decode(file).trim();
  if (text.startsWith("-----BEGIN")) return pemToSpki(text);
  if (/^(?:ssh|ecdsa|sk)-/u.test(text)) return sshToSpki(text);
  try {
    return jwkToSpki(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new BackendError(
      "PUBLIC_KEY_MALFORMED",
      "neither PEM, JWK, an SSH line, DER nor raw bytes of a public key",
      {},
    );
  }
}
