/** Widths of raw public keys: 32 bytes of Ed25519, and the uncompressed points. */
const RAW = { 32: "ed25519", 65: "ecdsa-p256", 97: "ecdsa-p384", 133: "ecdsa-p521" } as const;
/** The tag of a SEQUENCE, with which DER begins. */
const DER_SEQUENCE = 0x30;

/**
 * SPKI DER of a public key in any form that `basil pubkey` prints: PEM, JWK, SSH, raw or DER.
 *
 * @throws BackendError of core, `PUBLIC_KEY_MALFORMED` or `UNSUPPORTED_ALGORITHM`.
 */
export async function publicKeyOf(file: Uint8Array): Promise<Uint8Array> {
  const { BackendError, jwkToSpki, pemToSpki, rawToSpki, spkiKeyType, sshToSpki } = await import("@basil/core");
  const raw = RAW[file.length as keyof typeof RAW];
  if (raw !== undefined) return rawToSpki(file, raw);
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
