/**
 * Every way a backend call or an encoding can fail. Codes are stable; messages may change.
 * A message names the thing and the remedy and never holds a secret, a plaintext or key bytes.
 */
export interface BackendErrorDetails {
  /** The operation is not one this backend or engine offers. */
  UNSUPPORTED: { readonly operation: string };
  /** The key type or algorithm is not one this backend offers. */
  UNSUPPORTED_ALGORITHM: { readonly keyType?: string };
  /** The backend was reached and holds no such key or version. */
  KEY_NOT_FOUND: { readonly key: string };
  /** The key exists and cannot be used: disabled, pending deletion, another spec or usage. */
  KEY_UNUSABLE: { readonly key: string; readonly reason: string };
  /** A key is already where one was to be created. */
  KEY_EXISTS: { readonly key: string };
  /** The input breaks a rule of the operation: empty, malformed, wrong for the key. */
  INVALID_REQUEST: Record<never, never>;
  /** The input is over a limit of the backend; found before any call. `limit` is in bytes. */
  PAYLOAD_TOO_LARGE: { readonly limit: number; readonly actual: number };
  /** Wrong key, wrong AAD or tampered ciphertext: one opaque outcome, no oracle. */
  DECRYPT_FAILED: Record<never, never>;
  /** The backend's own access control refused. For the operator's log only, never for the caller. */
  ACCESS_DENIED: { readonly action: string; readonly resource?: string };
  /** Throttled, unreachable, timed out, or the broker's own credentials expired. Try again. */
  UNAVAILABLE: {
    readonly retryAfterMs?: number;
    /** The failure stays until an operator changes something, so a start does not retry it. */
    readonly permanent?: boolean;
    /** For the operator's log only: what to do, where the backend knows the cause. */
    readonly remedy?: string;
  };
  /** The backend refused for any other reason. */
  REJECTED: { readonly backendCode?: string };
  /** The backend's answer was not understood. */
  PROTOCOL: Record<never, never>;
  /** A signature is not strict DER, not the fixed width of its key type, or not an SSH signature. */
  SIGNATURE_MALFORMED: { readonly keyType?: string };
  /** A public key is not SPKI DER, PEM, JWK or SSH of the expected key type. */
  PUBLIC_KEY_MALFORMED: { readonly keyType?: string };
  /** The caller went away. */
  CANCELLED: Record<never, never>;
  /** The caller's deadline passed. */
  DEADLINE_EXCEEDED: Record<never, never>;
}
/** Stable: programs compare it, messages may change. */
export type BackendErrorCode = keyof BackendErrorDetails;

/** Every code, for whoever must be ready for each. */
export const BACKEND_ERROR_CODES = Object.keys({
  UNSUPPORTED: true,
  UNSUPPORTED_ALGORITHM: true,
  KEY_NOT_FOUND: true,
  KEY_UNUSABLE: true,
  KEY_EXISTS: true,
  INVALID_REQUEST: true,
  PAYLOAD_TOO_LARGE: true,
  DECRYPT_FAILED: true,
  ACCESS_DENIED: true,
  UNAVAILABLE: true,
  REJECTED: true,
  PROTOCOL: true,
  SIGNATURE_MALFORMED: true,
  PUBLIC_KEY_MALFORMED: true,
  CANCELLED: true,
  DEADLINE_EXCEEDED: true,
} satisfies Record<BackendErrorCode, true>) as readonly BackendErrorCode[];

/** A {@link BackendError} of any code: comparing its `code` narrows its `details`. */
export type AnyBackendError = { [C in BackendErrorCode]: BackendError<C> }[BackendErrorCode];

export interface BackendErrorOptions {
  /** The failure underneath, kept for the operator's log. */
  readonly cause?: unknown;
  /** The backend's id for the failed request, e.g. the KMS request id. */
  readonly backendRequestId?: string;
}

/** The one error class of this package; switch on `code` and `details` narrows. */
export class BackendError<C extends BackendErrorCode = BackendErrorCode> extends Error {
  override readonly name = "BackendError";
  readonly code: C;
  readonly details: BackendErrorDetails[C];
  readonly backendRequestId: string | undefined;

  constructor(code: C, message: string, details: BackendErrorDetails[C], options: BackendErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = details;
    this.backendRequestId = options.backendRequestId;
  }
}

/** True for a {@link BackendError} of any code, with the details of each code narrowed. */
export function isBackendError(error: unknown): error is AnyBackendError {
  return error instanceof BackendError;
}

/**
 * The error itself; one of this class by another copy of this package, as one of ours; or `PROTOCOL` around whatever else
 * was thrown, of which only the type is named. Never throws, whatever it is given.
 */
export function asBackendError(error: unknown): AnyBackendError {
  let type = "a value that cannot be read";
  let cause: unknown = new Error("what the backend threw cannot be shown");
  try {
    if (isBackendError(error)) return error;
    String(error);
    cause = error;
    const adopted = adopt(error);
    if (adopted !== undefined) return adopted;
    type = error instanceof Error ? String(error.name).slice(0, 64) : typeof error;
  } catch {
    // A proxy or a getter that throws: told as what it is.
  }
  const message = `the backend failed outside its contract, with ${type}`;
  return new BackendError("PROTOCOL", message, {}, { cause }) as AnyBackendError;
}

/** A package that is installed apart brings its own copy of this one, so `instanceof` does not know its errors. */
function adopt(error: unknown): AnyBackendError | undefined {
  if (!(error instanceof Error) || error.name !== "BackendError") return undefined;
  const { message, code, details, backendRequestId } = error as BackendError;
  const known = BACKEND_ERROR_CODES.find((one) => one === code);
  if (known === undefined || typeof details !== "object" || details === null) return undefined;
  return new BackendError(known, String(message), details, {
    cause: error,
    ...(typeof backendRequestId === "string" && { backendRequestId }),
  }) as AnyBackendError;
}
