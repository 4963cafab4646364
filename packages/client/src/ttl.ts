/** The protocol's duration, as a member to spread: none for a credential that never expires. @throws TypeError */
export function ttlOf(ttlSeconds: number | undefined): { ttl?: { seconds: bigint; nanos: number } } {
  if (ttlSeconds === undefined) return {};
  return { ttl: { seconds: wholeSeconds("ttlSeconds", ttlSeconds), nanos: 0 } };
}

/** @throws TypeError for what is not a whole number. */
export function wholeSeconds(name: string, seconds: number): bigint {
  if (!Number.isSafeInteger(seconds)) throw new TypeError(`${name} must be a whole number, not ${String(seconds)}`);
  return BigInt(seconds);
}
