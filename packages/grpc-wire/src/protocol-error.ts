import type { ErrorCodeName } from "./error-code.js";

/**
 * A violation by the peer that ends the connection (RFC 9113 §5.4.1).
 *
 * @internal
 */
export class ConnectionFault extends Error {
  readonly code: ErrorCodeName;

  constructor(code: ErrorCodeName, reason: string) {
    super(reason);
    this.name = "ConnectionFault";
    this.code = code;
  }
}
