/** By these KMS says that it did nothing; by the last, nobody asked it. */
const NOT_ACTED: ReadonlySet<string> = new Set([
  "ThrottlingException",
  "UnrecognizedClientException",
  "ExpiredTokenException",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "RequestExpired",
  "CredentialsProviderError",
]);

/** Whether KMS may have done what a request failed with: a byte of it may have left, and no answer says that nothing was done. */
export function mayHaveActed(failure: unknown): boolean {
  const { name, requestSent } = (failure ?? {}) as { readonly name?: string; readonly requestSent?: boolean };
  return requestSent !== false && !NOT_ACTED.has(name ?? "");
}
