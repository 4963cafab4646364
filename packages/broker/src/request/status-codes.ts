import type { AnyBrokerError, AnyRequestError, RequestErrorCode } from "../errors.js";

/** The gRPC status of each code (https://grpc.io/docs/guides/status-codes/). */
export const STATUS_CODES = {
  UNAUTHENTICATED: 16,
  UNAUTHORIZED: 7,
  INVALID_REQUEST: 3,
  INVALID_ARGUMENT: 3,
  DECRYPT_FAILED: 3,
  PAYLOAD_TOO_LARGE: 8,
  LIMIT_EXCEEDED: 8,
  UNSUPPORTED: 12,
  UNSUPPORTED_ALGORITHM: 12,
  BACKEND_UNAVAILABLE: 14,
  BACKEND_ERROR: 13,
  INTERNAL: 13,
  DATA_LOSS: 15,
  NO_REVOCATION_STORE: 9,
  CANCELLED: 1,
  DEADLINE_EXCEEDED: 4,
} as const satisfies Record<RequestErrorCode, number>;

/** Whether an error is one a caller may see. */
export function isRequestError(error: AnyBrokerError): error is AnyRequestError {
  return Object.hasOwn(STATUS_CODES, error.code);
}
