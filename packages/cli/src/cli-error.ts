/**
 * Every way a command can fail, by what the operator has to do about it. Codes are stable; messages may change.
 * A message says in one sentence what happened, `remedy` in one sentence what to do.
 */
export interface CliErrorDetails {
  /** The command line is not one this program takes. */
  USAGE: { readonly flag?: string };
  /** A file named on the command line or in the configuration cannot be read or written. */
  FILE: { readonly path: string };
  /** A document (configuration, catalog, policy, bundle) is refused; one line a problem. */
  DOCUMENT_REFUSED: { readonly path: string; readonly problems: readonly string[] };
  /** A setting asks for something this build cannot do. */
  UNSUPPORTED: { readonly feature: string };
  /** The package of a backend kind is not installed. */
  PACKAGE_MISSING: { readonly package: string };
  /** A backend package is not there, could be changed by others, does not load, or is no backend. `path` is what others can write. */
  PLUGIN_REFUSED: { readonly package: string; readonly path?: string };
  /** Nothing answers on the broker's socket. */
  UNREACHABLE: { readonly socket: string };
  /** The broker refused: no rule grants the call, or no subject is the caller's. */
  DENIED: { readonly op?: string };
  /** The time allowed is over, or the command was interrupted. */
  DEADLINE: Record<never, never>;
  /** The backend behind the broker does not answer. */
  UNAVAILABLE: { readonly retryAfterMs?: number };
  /** The input is over a limit. */
  TOO_LARGE: Record<never, never>;
  /** Anything else that went wrong. */
  FAILED: { readonly reason?: string };
}
export type CliErrorCode = keyof CliErrorDetails;

export interface CliErrorOptions {
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** The one error class of this package; switch on `code`. */
export class CliError<C extends CliErrorCode = CliErrorCode> extends Error {
  override readonly name = "CliError";
  readonly code: C;
  readonly details: CliErrorDetails[C];
  readonly remedy: string | undefined;

  constructor(code: C, message: string, details: CliErrorDetails[C], options: CliErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = details;
    this.remedy = options.remedy;
  }
}
