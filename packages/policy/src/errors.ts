import type { Refusal, RefusalList } from "@basil/catalog";

/** Why a policy is not taken; the names are those of the document's conditions. */
export const POLICY_REFUSAL_CODES = [
  /** Not JSON, a member of another type, an unknown, missing or repeated member, an unknown operation in a role. */
  "Json",
  "UnsupportedPolicySchema",
  "EmptySubjectName",
  "BadSubjectName",
  /** Two names that are equal once trimmed. */
  "DuplicateSubjectName",
  "InvalidSubjectShape",
  "EmptySubjectMatch",
  "EmptyUnixPrincipal",
  "InvalidUnauthenticatedPrincipal",
  "EmptySignaturePublic",
  "MalformedSignaturePublic",
  "UnknownUnauthenticatedSubject",
  "DuplicateRuleId",
  "EmptyRuleSubjects",
  "UnknownSubject",
  "BadTerm",
  "UnknownRole",
  "BadGlob",
  "NonBreakGlassAnyTarget",
] as const;
export type PolicyRefusalCode = (typeof POLICY_REFUSAL_CODES)[number];
export type PolicyRefusal = Refusal<PolicyRefusalCode>;

/** Why a table of expectations is not taken. */
export type PolicyTestRefusalCode = "Json" | "InvalidCase";

/** What each code of {@link PolicyError} carries. */
export interface PolicyErrorDetails {
  /** The document breaks the format: every reason; when `truncated`, the first of them. */
  POLICY_REFUSED: { readonly refusals: readonly PolicyRefusal[]; readonly truncated: boolean };
  /** A table of expectations breaks its format. */
  POLICY_TESTS_REFUSED: { readonly refusals: readonly Refusal<PolicyTestRefusalCode>[]; readonly truncated: boolean };
}
/** Stable: programs compare it, messages may change. */
export type PolicyErrorCode = keyof PolicyErrorDetails;

/** The one error class of this package. The message has a line for every refusal. */
export class PolicyError<C extends PolicyErrorCode = PolicyErrorCode> extends Error {
  override readonly name = "PolicyError";
  readonly code: C;
  readonly details: PolicyErrorDetails[C];

  constructor(code: C, message: string, details: PolicyErrorDetails[C]) {
    super(message);
    this.code = code;
    this.details = details;
  }

  /** Every reason, in the order of the document's names. */
  get refusals(): readonly PolicyErrorDetails[C]["refusals"][number][] {
    return this.details.refusals;
  }
}

/** @internal */
export function policyRefused(refusals: RefusalList<PolicyRefusalCode>): PolicyError {
  const details = { refusals: refusals.items, truncated: refusals.full };
  return new PolicyError("POLICY_REFUSED", refusals.describe("policy"), details);
}

/** @internal */
export function policyTestsRefused(refusals: RefusalList<PolicyTestRefusalCode>): PolicyError {
  const details = { refusals: refusals.items, truncated: refusals.full };
  return new PolicyError("POLICY_TESTS_REFUSED", refusals.describe("policy tests"), details);
}
