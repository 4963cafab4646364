/**
 * Every way a bundle operation can fail. Codes are stable; messages may change.
 * A message names the file, the slot or the field, and never holds a secret or key bytes.
 */
export interface BundleErrorDetails {
  /** The file does not begin with the magic of a bundle or a deposit record. */
  NOT_A_BUNDLE: Record<never, never>;
  /** The container is of a version this package does not know. */
  UNSUPPORTED_VERSION: { readonly version: number };
  /** The bytes are not those that were written: shorter, longer or changed. Found without any secret. */
  DAMAGED: Record<never, never>;
  /** The bytes are whole and still not a bundle: a field is missing, unknown, out of range or not in canonical form. */
  MALFORMED: { readonly field: string };
  /** A slot opened, and what it opened is not what was sealed: the clear part, the payload or the slot was exchanged. */
  AUTHENTICATION: { readonly part: "clear part" | "payload" | "slot" };
  /** A secret was tried on every slot of its kind and opens none. */
  WRONG_SECRET: { readonly kinds: readonly string[] };
  /** No slot is of a kind that was given. */
  NO_SLOT_OPENED: { readonly kinds: readonly string[] };
  /** What a slot needs cannot be used: a program, a token or a service is missing or refuses. */
  SLOT_UNAVAILABLE: { readonly kind: string };
  /** A slot kind that is named in the grammar and not built. */
  SLOT_UNSUPPORTED: { readonly kind: string };
  /** A slot asks for more scrypt work than this package ever writes. `logN` is the base-2 logarithm of the cost. */
  COST_TOO_HIGH: { readonly logN: number; readonly limit: number };
  /** A secret is empty, not 24 words, or fails its checksum. */
  SECRET_INVALID: { readonly kind: string };
  /** The bundle is older than its sidecar says: an older copy was restored. */
  ROLLED_BACK: { readonly epoch: number; readonly sidecarEpoch: number };
  /** The sidecar is not a decimal epoch and a newline. */
  SIDECAR_INVALID: { readonly path: string };
  /** Group or others can read or write the file. `mode` is the permission bits. */
  BAD_MODE: { readonly path: string; readonly mode: number };
  /** The file belongs to somebody who is neither this process nor root. */
  BAD_OWNER: { readonly path: string; readonly uid: number };
  /** A symbolic link, a folder or a device stands where a plain file belongs. */
  NOT_A_PLAIN_FILE: { readonly path: string };
  /** Nothing is at the path. */
  NOT_FOUND: { readonly path: string };
  /** Something is at the path already. */
  EXISTS: { readonly path: string };
  /** Another process is changing the bundle. */
  LOCKED: { readonly path: string; readonly pid?: number };
  /** Reading or writing failed; the old content is intact. */
  IO: { readonly path: string; readonly errno?: string };
  /** Over a limit of the format. */
  LIMIT: { readonly field: string; readonly limit: number; readonly actual: number };
  /** No such slot. */
  SLOT_NOT_FOUND: { readonly slotId: number };
  /** The last slot cannot be removed. */
  LAST_SLOT: { readonly slotId: number };
  /** No such backend. */
  BACKEND_NOT_FOUND: { readonly backendId: string };
  /** A credential does not fit the schema of its kind. */
  CREDENTIAL_INVALID: { readonly backendId: string; readonly problems: readonly string[] };
  /** `rekey` has no secret for these slots. */
  REKEY_INCOMPLETE: { readonly slotIds: readonly number[] };
  /** `rekey` would lose these deposits: they cannot be promoted, and the new deposit key does not open them. */
  DEPOSITS_LEFT: { readonly deposits: readonly string[] };
  /** The bundle takes no deposits: it has no deposit key. */
  NO_DEPOSIT_KEY: Record<never, never>;
  /** No such contributor. */
  CONTRIBUTOR_NOT_FOUND: { readonly contributorId: string };
  /** The backend is delegated to another contributor. */
  BACKEND_TAKEN: { readonly backendId: string; readonly contributorId: string };
  /** A public key, a seed or a recipient is not of the right form. */
  KEY_INVALID: { readonly field: string };
  /** No such deposit record. */
  DEPOSIT_NOT_FOUND: { readonly deposit: string };
  /** A `--slot`, `--open` or `--backend` text breaks the grammar: a usage error. */
  SPEC_SYNTAX: { readonly flag: string };
  /** A spec is well formed and lacks a field (`missing`: a usage error), or a field has a value that is not allowed. */
  SPEC_INVALID: { readonly flag: string; readonly field: string; readonly missing?: true };
}
/** Stable: programs compare it, messages may change. */
export type BundleErrorCode = keyof BundleErrorDetails;

/** A {@link BundleError} of any code: comparing its `code` narrows its `details`. */
export type AnyBundleError = { [C in BundleErrorCode]: BundleError<C> }[BundleErrorCode];

/** The one error class of this package; switch on `code` and `details` narrows. */
export class BundleError<C extends BundleErrorCode = BundleErrorCode> extends Error {
  override readonly name = "BundleError";
  readonly code: C;
  readonly details: BundleErrorDetails[C];

  constructor(code: C, message: string, details: BundleErrorDetails[C], options: { readonly cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = details;
  }
}

const CODES: Record<BundleErrorCode, true> = {
  NOT_A_BUNDLE: true,
  UNSUPPORTED_VERSION: true,
  DAMAGED: true,
  MALFORMED: true,
  AUTHENTICATION: true,
  WRONG_SECRET: true,
  NO_SLOT_OPENED: true,
  SLOT_UNAVAILABLE: true,
  SLOT_UNSUPPORTED: true,
  COST_TOO_HIGH: true,
  SECRET_INVALID: true,
  ROLLED_BACK: true,
  SIDECAR_INVALID: true,
  BAD_MODE: true,
  BAD_OWNER: true,
  NOT_A_PLAIN_FILE: true,
  NOT_FOUND: true,
  EXISTS: true,
  LOCKED: true,
  IO: true,
  LIMIT: true,
  SLOT_NOT_FOUND: true,
  LAST_SLOT: true,
  BACKEND_NOT_FOUND: true,
  CREDENTIAL_INVALID: true,
  REKEY_INCOMPLETE: true,
  DEPOSITS_LEFT: true,
  NO_DEPOSIT_KEY: true,
  CONTRIBUTOR_NOT_FOUND: true,
  BACKEND_TAKEN: true,
  KEY_INVALID: true,
  DEPOSIT_NOT_FOUND: true,
  SPEC_SYNTAX: true,
  SPEC_INVALID: true,
};

/** Every code, in the order of {@link BundleErrorDetails}. */
export const BUNDLE_ERROR_CODES = Object.keys(CODES) as readonly BundleErrorCode[];

/** True for a {@link BundleError} of any code, with the details of each code narrowed. */
export function isBundleError(error: unknown): error is AnyBundleError {
  return error instanceof BundleError;
}
