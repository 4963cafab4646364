/** What requests and connections may take. All are whole numbers above zero, milliseconds at most 2,147,483,647. */
export interface Limits {
  /** Bytes of an encryption's plaintext and of a decryption's ciphertext. Default: 1,048,576. */
  readonly maxEncryptBytes: number;
  /** Bytes of a message, a signature, a value, a token. Default: 1,048,576. */
  readonly maxPayloadBytes: number;
  /** Milliseconds a backend gets before the caller is told that it is unavailable. Default: 25,000. */
  readonly backendTimeoutMs: number;
  /** Bytes of one gRPC message. Default: 4,194,304. */
  readonly maxMessageBytes: number;
  /**
   * Calls at a time on one connection; more wait in the caller's HTTP/2 stack. Calls that were given up count until their
   * streams are closed, so it is twice of what one caller can have at work. Default: 256.
   */
  readonly maxStreams: number;
  /** Requests at work at a time, of all callers. Default: 256. */
  readonly maxInFlight: number;
  /** Requests at work at a time, of one subject, or of one uid without a subject. Default: 128. */
  readonly maxInFlightPerCaller: number;
  /** Requests of one subject that wait for their turn; one more is `LIMIT_EXCEEDED`. Default: 256. */
  readonly maxWaitingPerCaller: number;
  /** Connections; one more closes the oldest that has no request in flight, or else one of the uid that has most. Default: 512. */
  readonly maxConnections: number;
  /** Watch streams of gRPC's health protocol, of all callers; one more is `LIMIT_EXCEEDED`. Default: 256. */
  readonly maxHealthWatches: number;
  /** The same of one uid. Default: 64. */
  readonly maxHealthWatchesPerUser: number;
  /** Milliseconds between two background rounds that probe every key for readiness. Default: 10,000. */
  readonly healthWatchIntervalMs: number;
  /** Milliseconds after which a connection without a request is closed; clients connect again by themselves. Default: 600,000. */
  readonly idleTimeoutMs: number;
  /** Milliseconds a new connection gets to say that it speaks HTTP/2. Default: 10,000. */
  readonly prefaceTimeoutMs: number;
  /**
   * Bytes that open requests and unread answers of all callers hold. One more refuses the largest request that is not
   * complete, or resets the largest answer that is not read. Default: 67,108,864.
   */
  readonly maxOpenBytes: number;
  /** The same of one uid. Default: 33,554,432. */
  readonly maxOpenBytesPerUser: number;
  /** Milliseconds a request may take to arrive completely. Default: 30,000. */
  readonly receiveTimeoutMs: number;
  /** Milliseconds an answer may wait for its caller to read; then it is reset. Default: 30,000. */
  readonly sendTimeoutMs: number;
}

/** What {@link Limits} says of each: what `createBroker` takes where it is told nothing else. */
export const DEFAULT_LIMITS: Limits = {
  maxEncryptBytes: 1_048_576,
  maxPayloadBytes: 1_048_576,
  backendTimeoutMs: 25_000,
  maxMessageBytes: 4_194_304,
  maxStreams: 256,
  maxInFlight: 256,
  maxInFlightPerCaller: 128,
  maxWaitingPerCaller: 256,
  maxConnections: 512,
  maxHealthWatches: 256,
  maxHealthWatchesPerUser: 64,
  healthWatchIntervalMs: 10_000,
  idleTimeoutMs: 600_000,
  prefaceTimeoutMs: 10_000,
  maxOpenBytes: 67_108_864,
  maxOpenBytesPerUser: 33_554_432,
  receiveTimeoutMs: 30_000,
  sendTimeoutMs: 30_000,
};

/** A longer timer goes off at once (Node's `setTimeout`). */
export const LONGEST_TIMER_MS = 2_147_483_647;

/** @throws TypeError for a limit that is not a whole number above zero, or a time that no timer can wait. */
export function withDefaultLimits(limits: Partial<Limits> = {}): Limits {
  const complete = { ...DEFAULT_LIMITS, ...limits };
  for (const [name, value] of Object.entries(complete)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TypeError(`limits.${name} must be a whole number above zero, found ${String(value)}`);
    }
    if (name.endsWith("Ms") && value > LONGEST_TIMER_MS) {
      throw new TypeError(`limits.${name} must be at most ${LONGEST_TIMER_MS} milliseconds, found ${value}`);
    }
  }
  return complete;
}
