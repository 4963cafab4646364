import type { Refusal, RefusalList } from "./refusal.js";

/** Why a catalog is not taken; the names are those of the document's conditions. */
export const CATALOG_REFUSAL_CODES = [
  /** Not JSON, a member of another type, an unknown, missing or repeated member. */
  "Json",
  "UnsupportedCatalogSchema",
  "UnknownBackendKind",
  "BadKeyName",
  "UnknownBackend",
  "BlankDescription",
  "BlankPath",
  /** Two keys at one place of a backend, or a private half at its own public path. */
  "DuplicatePath",
  "MissingKeyType",
  "UnexpectedKeyType",
  /** A key type that belongs to another class. */
  "KeyTypeClassMismatch",
  "SealingKeyTypeNotX25519",
  "GenerateWithoutRecipe",
  "UnexpectedGenerate",
  /** A size, duration or name no recipe can work with. */
  "InvalidRecipe",
  "UnknownPairOf",
  "Kv2SigningKeyTypeNotEd25519",
  "InvalidPkiPath",
  "NonSpiffeJwtSvidAlg",
  "MissingPublicPath",
  "UnexpectedPublicPath",
  "UnexpectedSealingPin",
  "EmptySealingPin",
  "EmptyPinnedPartyIdentity",
  "InvalidReservedLabel",
  "DuplicateReservedLabel",
  "InvalidNatsType",
] as const;
export type CatalogRefusalCode = (typeof CATALOG_REFUSAL_CODES)[number];
export type CatalogRefusal = Refusal<CatalogRefusalCode>;

/** What each code of {@link CatalogError} carries. */
export interface CatalogErrorDetails {
  /** The document breaks the format: every reason; when `truncated`, the first of them. */
  CATALOG_REFUSED: { readonly refusals: readonly CatalogRefusal[]; readonly truncated: boolean };
}
/** Stable: programs compare it, messages may change. */
export type CatalogErrorCode = keyof CatalogErrorDetails;

/** The one error class of this package. The message has a line for every refusal. */
export class CatalogError<C extends CatalogErrorCode = CatalogErrorCode> extends Error {
  override readonly name = "CatalogError";
  readonly code: C;
  readonly details: CatalogErrorDetails[C];

  constructor(code: C, message: string, details: CatalogErrorDetails[C]) {
    super(message);
    this.code = code;
    this.details = details;
  }

  /** Every reason, in the order of the document's names. */
  get refusals(): readonly CatalogRefusal[] {
    return this.details.refusals;
  }
}

/** @internal */
export function catalogRefused(refusals: RefusalList<CatalogRefusalCode>): CatalogError {
  const details = { refusals: refusals.items, truncated: refusals.full };
  return new CatalogError("CATALOG_REFUSED", refusals.describe("catalog"), details);
}
