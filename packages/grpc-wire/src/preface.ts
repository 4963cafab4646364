/** What a client sends first (RFC 9113 §3.4). */
export const PREFACE: Uint8Array = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Whether a connection begins with the preface of HTTP/2: true or false, or undefined while too few bytes are known to say. */
export function hasPreface(bytes: Buffer): boolean | undefined {
  const compared = Math.min(bytes.length, PREFACE.length);
  if (bytes.compare(PREFACE, 0, compared, 0, compared) !== 0) return false;
  return compared === PREFACE.length ? true : undefined;
}
