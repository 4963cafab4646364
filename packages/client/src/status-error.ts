import { decodeStatusDetails, STATUS_DETAILS_KEY } from "@basil/proto";
import { type ServiceError, status } from "@grpc/grpc-js";
import { ClientError, type ClientErrorCode } from "./errors.js";

/** The reasons of a broker that are codes here; `INVALID_ARGUMENT` is what two admin methods call `INVALID_REQUEST`. */
const CODE_OF_REASON = {
  UNAUTHENTICATED: "UNAUTHENTICATED",
  UNAUTHORIZED: "UNAUTHORIZED",
  INVALID_REQUEST: "INVALID_REQUEST",
  INVALID_ARGUMENT: "INVALID_REQUEST",
  DECRYPT_FAILED: "DECRYPT_FAILED",
  PAYLOAD_TOO_LARGE: "PAYLOAD_TOO_LARGE",
  LIMIT_EXCEEDED: "LIMIT_EXCEEDED",
  UNSUPPORTED: "UNSUPPORTED",
  UNSUPPORTED_ALGORITHM: "UNSUPPORTED_ALGORITHM",
  BACKEND_UNAVAILABLE: "BACKEND_UNAVAILABLE",
  BACKEND_ERROR: "BACKEND_ERROR",
  INTERNAL: "INTERNAL",
  DATA_LOSS: "DATA_LOSS",
  NO_REVOCATION_STORE: "NO_REVOCATION_STORE",
  INVOCATION_DISABLED: "INVOCATION_DISABLED",
  INVOCATION_RESPONSE_PROTECTION_FAILED: "INVOCATION_RESPONSE_PROTECTION_FAILED",
} as const satisfies Record<string, ClientErrorCode>;

/** What a status means when no reason comes with it, or one this version does not know. */
const CODE_OF_STATUS: Readonly<Partial<Record<status, ClientErrorCode>>> = {
  [status.UNAUTHENTICATED]: "UNAUTHENTICATED",
  [status.PERMISSION_DENIED]: "UNAUTHORIZED",
  [status.INVALID_ARGUMENT]: "INVALID_REQUEST",
  [status.RESOURCE_EXHAUSTED]: "PAYLOAD_TOO_LARGE",
  [status.OUT_OF_RANGE]: "PAYLOAD_TOO_LARGE",
  [status.UNIMPLEMENTED]: "UNSUPPORTED",
  [status.INTERNAL]: "INTERNAL",
  [status.DATA_LOSS]: "DATA_LOSS",
  [status.DEADLINE_EXCEEDED]: "DEADLINE_EXCEEDED",
};

export interface CallState {
  readonly path: string;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

/** A failed gRPC call as the caller sees it. */
export function statusError(error: ServiceError, { path, signal, deadline }: CallState): ClientError {
  if (error.code === status.CANCELLED && signal?.aborted) {
    return new ClientError(
      "CANCELLED",
      "the call was cancelled",
      {},
      { cause: signal.reason, grpcStatus: "CANCELLED" },
    );
  }
  const info = detailsOf(error);
  const options = {
    cause: error,
    grpcStatus: status[error.code],
    reason: info?.reason,
    op: info?.op,
    requestId: firstText(error, "basil-request-id"),
    retryAfterMs: retryAfterMs(error),
  };
  const message = error.details || "the broker gave no reason";
  const code = codeOf(error.code, info?.reason);
  if (code !== undefined) return new ClientError(code, message, {}, options);
  if (error.code === status.UNAVAILABLE && info === undefined) {
    return new ClientError("UNREACHABLE", `no broker answers at ${path}: ${message}`, { path }, options);
  }
  if (error.code === status.UNAVAILABLE) return new ClientError("BACKEND_UNAVAILABLE", message, {}, options);
  if (error.code === status.CANCELLED) {
    // A server whose own timer fires first cancels the stream; the client's timer would have said the same.
    return Date.now() >= deadline
      ? new ClientError("DEADLINE_EXCEEDED", message, {}, options)
      : new ClientError("UNREACHABLE", `the broker at ${path} dropped the call: ${message}`, { path }, options);
  }
  return new ClientError("PROTOCOL", `unexpected status ${error.code}: ${message}`, {}, options);
}

type DetailFreeCode = Exclude<ClientErrorCode, "UNREACHABLE" | "UNTRUSTED_SOCKET" | "SEALED_KEY_UNEXPECTED">;

function codeOf(grpcStatus: status, reason: string | undefined): DetailFreeCode | undefined {
  const known = reason === undefined ? undefined : codeOfReason(reason);
  return known ?? (CODE_OF_STATUS[grpcStatus] as DetailFreeCode | undefined);
}

/** The code of a broker's reason; undefined for one this version does not know. */
export function codeOfReason(reason: string): DetailFreeCode | undefined {
  return Object.hasOwn(CODE_OF_REASON, reason) ? CODE_OF_REASON[reason as keyof typeof CODE_OF_REASON] : undefined;
}

function detailsOf(error: ServiceError) {
  const [value] = error.metadata?.get(STATUS_DETAILS_KEY) ?? [];
  return value instanceof Uint8Array ? decodeStatusDetails(value) : undefined;
}

function retryAfterMs(error: ServiceError): number | undefined {
  const text = firstText(error, "grpc-retry-pushback-ms");
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function firstText(error: ServiceError, key: string): string | undefined {
  const [value] = error.metadata?.get(key) ?? [];
  return typeof value === "string" ? value : undefined;
}
