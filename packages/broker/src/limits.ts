/** What one request may take. All are whole numbers above zero. */
export interface Limits {
  /** Bytes of an encryption's plaintext and of a decryption's ciphertext. Default: 1,048,576. */
  readonly maxEncryptBytes: number;
  /** Bytes of a message, a signature, a value, a token. Default: 1,048,576. */
  readonly maxPayloadBytes: number;
  /** Milliseconds a backend gets before the caller is told that it is unavailable. Default: 25,000. */
  readonly backendTimeoutMs: number;
  /** Bytes of one gRPC message. Default: 4,194,304. */
  readonly maxMessageBytes: number;
  /** Calls at a time on one connection; more wait in the caller's HTTP/2 stack. Default: 128. */
  readonly maxStreams: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxEncryptBytes: 1_048_576,
  maxPayloadBytes: 1_048_576,
  backendTimeoutMs: 25_000,
  maxMessageBytes: 4_194_304,
  maxStreams: 128,
};

/** @throws TypeError for a limit that is not a whole number above zero. */
export function withDefaultLimits(limits: Partial<Limits> = {}): Limits {
  const complete = { ...DEFAULT_LIMITS, ...limits };
  for (const [name, value] of Object.entries(complete)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TypeError(`limits.${name} must be a whole number above zero, found ${String(value)}`);
    }
  }
  return complete;
}
