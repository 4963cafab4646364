/**
 * Every way a call can fail. Codes are stable; messages may change. The first group are the reasons a broker gives,
 * under their own names; the second are what a client finds by itself, the third what is wrong with a sealed file.
 */
export interface ClientErrorDetails {
  /** The connection carries no identity, or the operation needs one. */
  UNAUTHENTICATED: Record<never, never>;
  /** The policy refuses, or there is no such key: the two look the same on purpose. */
  UNAUTHORIZED: Record<never, never>;
  /** The request breaks a rule: a wrong class of key, a wrong algorithm, a malformed field. */
  INVALID_REQUEST: Record<never, never>;
  /** Wrong key, wrong AAD or tampered ciphertext. */
  DECRYPT_FAILED: Record<never, never>;
  /** Over a size limit of the broker, of the backend, or of the transport. */
  PAYLOAD_TOO_LARGE: Record<never, never>;
  /** Over a limit on connections or calls at a time. */
  LIMIT_EXCEEDED: Record<never, never>;
  /** The broker or the key's backend does not offer the operation. */
  UNSUPPORTED: Record<never, never>;
  /** The backend does not offer the algorithm or key type. */
  UNSUPPORTED_ALGORITHM: Record<never, never>;
  /** The backend cannot be reached, or asks to slow down. */
  BACKEND_UNAVAILABLE: Record<never, never>;
  /** The backend refused, or answered nonsense. The broker's log says which. */
  BACKEND_ERROR: Record<never, never>;
  /** A fault inside the broker, or a key of the catalog that its backend does not hold. */
  INTERNAL: Record<never, never>;
  /** A subscriber fell behind and missed events. */
  DATA_LOSS: Record<never, never>;
  /** The catalog has no place for revocations. */
  NO_REVOCATION_STORE: Record<never, never>;
  /** Sealed invocation is switched off. */
  INVOCATION_DISABLED: Record<never, never>;
  /** The result of a sealed invocation could not be sealed. */
  INVOCATION_RESPONSE_PROTECTION_FAILED: Record<never, never>;

  /** No broker answers at the socket, or the connection broke. `errno` names the cause where the system gave one. */
  UNREACHABLE: { readonly path: string; readonly errno?: string };
  /** Somebody who is neither root nor us nor the broker's user may have put the socket there. `entry` is what belongs to `owner`. */
  UNTRUSTED_SOCKET: { readonly path: string; readonly entry: string; readonly owner: number };
  /** The caller's signal aborted; its reason is the `cause`. */
  CANCELLED: Record<never, never>;
  /** No answer within `timeoutMs`. The broker may have done the work. */
  DEADLINE_EXCEEDED: Record<never, never>;
  /** The answer is not one this version understands. */
  PROTOCOL: Record<never, never>;
  /** The client was closed. */
  CLOSED: Record<never, never>;

  /** No sealed file: no age header, a broken or changed one, or one above 64 KiB. */
  SEALED_HEADER_INVALID: Record<never, never>;
  /** An age file that no broker's key was a recipient of. */
  SEALED_RECIPIENT_MISSING: Record<never, never>;
  /** Sealed with the key `keyId`, which is not the one that was asked for. */
  SEALED_KEY_UNEXPECTED: { readonly keyId: string };
  /** The content of a sealed file was changed, cut short, put in another order or added to. What came out before is sound. */
  SEALED_PAYLOAD_INVALID: Record<never, never>;
}
/** Every code, for whoever must be ready for each. */
export const CLIENT_ERROR_CODES = Object.keys({
  UNAUTHENTICATED: true,
  UNAUTHORIZED: true,
  INVALID_REQUEST: true,
  DECRYPT_FAILED: true,
  PAYLOAD_TOO_LARGE: true,
  LIMIT_EXCEEDED: true,
  UNSUPPORTED: true,
  UNSUPPORTED_ALGORITHM: true,
  BACKEND_UNAVAILABLE: true,
  BACKEND_ERROR: true,
  INTERNAL: true,
  DATA_LOSS: true,
  NO_REVOCATION_STORE: true,
  INVOCATION_DISABLED: true,
  INVOCATION_RESPONSE_PROTECTION_FAILED: true,
  UNREACHABLE: true,
  UNTRUSTED_SOCKET: true,
  CANCELLED: true,
  DEADLINE_EXCEEDED: true,
  PROTOCOL: true,
  CLOSED: true,
  SEALED_HEADER_INVALID: true,
  SEALED_RECIPIENT_MISSING: true,
  SEALED_KEY_UNEXPECTED: true,
  SEALED_PAYLOAD_INVALID: true,
} satisfies Record<keyof ClientErrorDetails, true>) as readonly ClientErrorCode[];

/** Stable: programs compare it, messages may change. */
export type ClientErrorCode = keyof ClientErrorDetails;

/** A {@link ClientError} of any code: comparing its `code` narrows its `details`. */
export type AnyClientError = { [C in ClientErrorCode]: ClientError<C> }[ClientErrorCode];

export interface ClientErrorOptions {
  readonly cause?: unknown;
  readonly grpcStatus?: string | undefined;
  readonly reason?: string | undefined;
  readonly op?: string | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

const RETRYABLE: ReadonlySet<ClientErrorCode> = new Set(["UNREACHABLE", "BACKEND_UNAVAILABLE", "LIMIT_EXCEEDED"]);

/** The one error class of this package; switch on `code` and `details` narrows. */
export class ClientError<C extends ClientErrorCode = ClientErrorCode> extends Error {
  override readonly name = "ClientError";
  readonly code: C;
  readonly details: ClientErrorDetails[C];
  /** The name of the gRPC status, e.g. `PERMISSION_DENIED`; undefined when the call never got one. */
  readonly grpcStatus: string | undefined;
  /** The broker's own token, e.g. `UNAUTHORIZED`; undefined when the failure is the transport's. */
  readonly reason: string | undefined;
  /** The operation the broker refused or failed, e.g. `get_public_key`. */
  readonly op: string | undefined;
  /** Names the request in the broker's audit log, where the broker gave it. */
  readonly requestId: string | undefined;
  /** Whether the same call may succeed later, unchanged. */
  readonly retryable: boolean;
  /** How long to wait before that, in milliseconds, where the broker said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: C, message: string, details: ClientErrorDetails[C], options: ClientErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = details;
    this.grpcStatus = options.grpcStatus;
    this.reason = options.reason;
    this.op = options.op;
    this.requestId = options.requestId;
    this.retryable = RETRYABLE.has(code);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** True for a {@link ClientError} of any code, with the details of each code narrowed. */
export function isClientError(error: unknown): error is AnyClientError {
  return error instanceof ClientError;
}
