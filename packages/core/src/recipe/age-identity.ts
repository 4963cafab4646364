/** A fresh X25519 identity as the age program spells it: `AGE-SECRET-KEY-1…`, 74 characters, no line end (age-encryption.org/v1). */
export async function ageIdentity(): Promise<Uint8Array> {
  // Loaded by those alone who have such a key.
  const { generateX25519Identity } = await import("age-encryption");
  return new TextEncoder().encode(await generateX25519Identity());
}
