/** The protocol's duration, as a member to spread: none for a credential that never expires. @throws TypeError */
export function ttlOf(ttlSeconds: number | undefined): { ttl?: { seconds: bigint; nanos: number } } {
  if (ttlSeconds === undefined) return {};
  if (!Number.isSafeInteger(ttlSeconds)) {
    throw new TypeError(`ttlSeconds must be a whole number, not ${String(ttlSeconds)}`);
  }
  return { ttl: { seconds: BigInt(ttlSeconds), nanos: 0 } };
}
