/** The capability tokens with a meaning of their own; any other is the deployment's and compared as it stands. */
export const KNOWN_CAPABILITIES = [
  "byok-import",
  "prehash-sign",
  "pqc-transit",
  "pki-crl",
  "jwt-auth",
  "approle-auth",
] as const;

export function isKnownCapability(token: string): boolean {
  return (KNOWN_CAPABILITIES as readonly string[]).includes(token);
}
