import type { AnyBackendError, ReconcileReport } from "@basil/core";
import type { RejectionReason } from "./reload/document-source.js";

/** Why a broker does not start, or stops. These reach the program that runs it, never a caller. */
export interface StartupErrorDetails {
  /** A backend of the catalog was given no credential. */
  CREDENTIAL_MISSING: { readonly backend: string; readonly kind: string };
  /** A credential is sealed for another kind than the catalog names. */
  CREDENTIAL_KIND_MISMATCH: { readonly backend: string; readonly expected: string; readonly found: string };
  /** A credential is not what its kind needs. `fields` are the paths of the wrong members, never their values. */
  CREDENTIAL_INVALID: { readonly backend: string; readonly kind: string; readonly fields: readonly string[] };
  /** No plugin for the kind was given. */
  PLUGIN_NOT_INSTALLED: { readonly backend: string; readonly kind: string; readonly installed: readonly string[] };
  /** A plugin could not open a backend. */
  BACKEND_OPEN_FAILED: { readonly backend: string; readonly kind: string; readonly error?: AnyBackendError };
  /** A backend claims what its kind does not, or what it has no methods for. One line a problem. */
  BACKEND_CONTRACT: { readonly backend: string; readonly kind: string; readonly problems: readonly string[] };
  /** A backend of the catalog is not among those given, is given twice, or is of another kind. */
  BACKEND_MISMATCH: { readonly backend: string };
  /** The catalog demands of a backend what it does not provide. One line a gap. */
  CAPABILITY_GAPS: { readonly gaps: readonly string[] };
  /** A key of the catalog is not as it must be; the report says which and why. */
  RECONCILE_FAILED: { readonly report: ReconcileReport };
  /** This platform does not tell who a peer is. */
  PLATFORM_UNSUPPORTED: { readonly platform: string; readonly arch: string };
  /** A broker, or something else, is listening at the path. */
  SOCKET_IN_USE: { readonly path: string };
  /** Something that is not a socket is at the path. */
  SOCKET_PATH_OCCUPIED: { readonly path: string };
  /** The path is empty, too long for a socket, or not in a folder that can be used. */
  SOCKET_PATH_INVALID: { readonly path: string };
  /** There is no group of this name. */
  SOCKET_GROUP_UNKNOWN: { readonly group: string };
  /** The system refused to bind, or to set mode or group. */
  SOCKET_FAILED: { readonly path: string; readonly errno?: string };
  /** The audit log cannot be opened or written. */
  AUDIT_UNAVAILABLE: { readonly path?: string };
  /** A candidate to be served is refused; what is served stays. `reason` is the protocol's token. */
  RELOAD_REJECTED: { readonly reason: RejectionReason };
  /** The broker was disposed. */
  CLOSED: Record<never, never>;
}

/** Why a request fails: the reasons of `BrokerErrorInfo`, and two endings that carry none. `op` is the detail's `op`. */
export interface RequestErrorDetails {
  UNAUTHENTICATED: { readonly op: string };
  UNAUTHORIZED: { readonly op: string };
  INVALID_REQUEST: { readonly op: string };
  INVALID_ARGUMENT: { readonly op: string };
  DECRYPT_FAILED: { readonly op: string };
  PAYLOAD_TOO_LARGE: { readonly op: string };
  LIMIT_EXCEEDED: { readonly op: string; readonly retryAfterMs: number };
  UNSUPPORTED: { readonly op: string };
  UNSUPPORTED_ALGORITHM: { readonly op: string };
  BACKEND_UNAVAILABLE: { readonly op: string; readonly retryAfterMs: number };
  BACKEND_ERROR: { readonly op: string };
  INTERNAL: { readonly op: string };
  DATA_LOSS: { readonly op: string };
  NO_REVOCATION_STORE: { readonly op: string };
  /** The caller went away. */
  CANCELLED: { readonly op: string };
  /** The caller's deadline passed. */
  DEADLINE_EXCEEDED: { readonly op: string };
}

export interface BrokerErrorDetails extends StartupErrorDetails, RequestErrorDetails {}
/** Every code, for whoever must be ready for each. */
export const BROKER_ERROR_CODES = Object.keys({
  CREDENTIAL_MISSING: true,
  CREDENTIAL_KIND_MISMATCH: true,
  CREDENTIAL_INVALID: true,
  PLUGIN_NOT_INSTALLED: true,
  BACKEND_OPEN_FAILED: true,
  BACKEND_CONTRACT: true,
  BACKEND_MISMATCH: true,
  CAPABILITY_GAPS: true,
  RECONCILE_FAILED: true,
  PLATFORM_UNSUPPORTED: true,
  SOCKET_IN_USE: true,
  SOCKET_PATH_OCCUPIED: true,
  SOCKET_PATH_INVALID: true,
  SOCKET_GROUP_UNKNOWN: true,
  SOCKET_FAILED: true,
  AUDIT_UNAVAILABLE: true,
  RELOAD_REJECTED: true,
  CLOSED: true,
  UNAUTHENTICATED: true,
  UNAUTHORIZED: true,
  INVALID_REQUEST: true,
  INVALID_ARGUMENT: true,
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
  CANCELLED: true,
  DEADLINE_EXCEEDED: true,
} satisfies Record<keyof BrokerErrorDetails, true>) as readonly BrokerErrorCode[];

export type RequestErrorCode = keyof RequestErrorDetails;
/** Stable: programs compare it, messages may change. */
export type BrokerErrorCode = keyof BrokerErrorDetails;

/** A {@link BrokerError} that a request ended in; what its caller sees. */
export type AnyRequestError = { [C in RequestErrorCode]: BrokerError<C> }[RequestErrorCode];
/** A {@link BrokerError} of any code: comparing its `code` narrows its `details`. */
export type AnyBrokerError = { [C in BrokerErrorCode]: BrokerError<C> }[BrokerErrorCode];

export interface BrokerErrorOptions {
  readonly cause?: unknown;
  readonly requestId?: string;
}

/** The one error class of this package; switch on `code` and `details` narrows. */
export class BrokerError<C extends BrokerErrorCode = BrokerErrorCode> extends Error {
  override readonly name = "BrokerError";
  readonly code: C;
  readonly details: BrokerErrorDetails[C];
  /** Names the request in the audit log, where a request failed and its caller may know. */
  readonly requestId: string | undefined;

  constructor(code: C, message: string, details: BrokerErrorDetails[C], options: BrokerErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = details;
    this.requestId = options.requestId;
  }
}

/** True for a {@link BrokerError} of any code, with the details of each code narrowed. */
export function isBrokerError(error: unknown): error is AnyBrokerError {
  return error instanceof BrokerError;
}
