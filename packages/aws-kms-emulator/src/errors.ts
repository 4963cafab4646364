/** Every way the emulator itself can fail, as opposed to what the emulated service answers. Codes are stable. */
export interface EmulatorErrorDetails {
  /** An option or a field of a seed document is wrong. `path` names it, e.g. `keys[0].spec`. */
  OPTION_INVALID: { readonly path: string };
  /** A policy document is malformed. `path` is the place inside the document, e.g. `Statement[0].Effect`. */
  POLICY_MALFORMED: { readonly path: string };
  /** A principal, key or alias with that name exists already. */
  ALREADY_EXISTS: { readonly name: string };
  /** No principal, policy, key or alias of that name. */
  NOT_FOUND: { readonly name: string };
  /** The address cannot be listened on. */
  LISTEN_FAILED: { readonly host: string; readonly port: number };
  /** The state file cannot be read, written, or is not one. */
  STATE_FILE: { readonly file: string };
  /** The call log file cannot be written. */
  LOG_FILE: { readonly file: string };
}
/** Stable: programs compare it, messages may change. */
export type EmulatorErrorCode = keyof EmulatorErrorDetails;
/** A {@link EmulatorError} of any code: comparing its `code` narrows its `details`. */
export type AnyEmulatorError = { [C in EmulatorErrorCode]: EmulatorError<C> }[EmulatorErrorCode];

/** The one error class of this package; switch on `code` and `details` narrows. */
export class EmulatorError<C extends EmulatorErrorCode = EmulatorErrorCode> extends Error {
  override readonly name = "EmulatorError";
  readonly code: C;
  readonly details: EmulatorErrorDetails[C];

  constructor(code: C, message: string, details: EmulatorErrorDetails[C], options: { readonly cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = details;
  }
}

/** True for an {@link EmulatorError} of any code, with the details of each code narrowed. */
export function isEmulatorError(error: unknown): error is AnyEmulatorError {
  return error instanceof EmulatorError;
}
