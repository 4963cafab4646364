import type { ProvableAction } from "./dry-run.js";

/** What is wrong, or more than is needed, about an AWS deployment. */
export interface KmsLiveFinding {
  /**
   * `credentials`: none, expired or not known to AWS. `clock`: this host's clock is off. `region`: the keys are looked for
   * in another region than theirs. `unreachable`: no answer, or none of KMS. `absent`, `state`, `spec`: the key is not
   * there, not enabled, or of another type. `alias-moved`: the alias leads to none of the key's versions. `denied`: a
   * permission is missing. `unproved`: KMS answered neither that it would nor that it may not. `dry-run-ignored`: what
   * answers did a call that was marked `DryRun`, and was asked nothing more. `excess`: a permission that nothing needs.
   */
  readonly code:
    | "credentials"
    | "clock"
    | "region"
    | "unreachable"
    | "absent"
    | "state"
    | "spec"
    | "alias-moved"
    | "denied"
    | "unproved"
    | "dry-run-ignored"
    | "excess";
  /** `fatal`: a start, or a call that somebody may make, fails. */
  readonly severity: "fatal" | "warning";
  /** The catalog's name of the key; absent for what is about all of them. */
  readonly key?: string;
  /** The version it is about; absent for the one in use. */
  readonly version?: number;
  /** For the operator: it names ARNs, and the text of AWS where there is one. */
  readonly message: string;
  /** Of `denied`, `unproved` and `excess`. */
  readonly action?: ProvableAction | "kms:DescribeKey";
  /** Of `denied` and `excess`: the ARN an IAM statement has to name. */
  readonly resource?: string;
  /** Of `denied`: who did not allow it, or denied it outright. */
  readonly denial?: KmsDenial;
}

/**
 * The three texts of a denial: no identity policy allows it; the key's policy does not (another account's key, or a key
 * policy that leaves nothing to IAM); some policy denies it explicitly. `no-such-key` is the text that leaves open whether
 * there is a key of that ARN; `other` covers boundaries and organizations.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export type KmsDenial = "identity-policy" | "key-policy" | "explicit-deny" | "no-such-key" | "other";

/** A failure of one call, by what an operator has to do about it. */
export type LiveFailure =
  | { readonly kind: Exclude<GlobalFailure, "unreachable"> | "absent" | "state" | "unproved"; readonly text: string }
  /** `answered`: something did, though not as KMS does. */
  | { readonly kind: "unreachable"; readonly text: string; readonly answered: boolean }
  | {
      readonly kind: "denied";
      readonly text: string;
      readonly denial: KmsDenial;
      /** The action AWS named, which for ReEncrypt is one of two. */
      readonly action?: string;
      readonly resource?: string;
      readonly principal?: string;
    };

/** What is wrong with the identity or the way there, and so for every key alike. */
export type GlobalFailure = "credentials" | "clock" | "region" | "unreachable";

const CREDENTIALS = new Set([
  "ExpiredTokenException",
  "ExpiredToken",
  "UnrecognizedClientException",
  "InvalidClientTokenId",
  "MissingAuthenticationTokenException",
  "MissingAuthenticationToken",
  "CredentialsProviderError",
  "TokenProviderError",
]);
const STATES = new Set(["DisabledException", "KMSInvalidStateException", "KeyUnavailableException"]);

export function liveFailure(failure: unknown): LiveFailure {
  const { name, message } = failure instanceof Error ? failure : { name: "Error", message: String(failure) };
  const text = `${name}: ${message}`;
  if (CREDENTIALS.has(name)) return { kind: "credentials", text };
  if (name === "NotFoundException") return { kind: "absent", text };
  if (STATES.has(name)) return { kind: "state", text };
  if (name === "InvalidSignatureException") {
    if (/signature expired|not yet current/i.test(message)) return { kind: "clock", text };
    return { kind: /scoped to a valid region/i.test(message) ? "region" : "credentials", text };
  }
  if (name !== "AccessDeniedException" && name !== "AccessDenied") {
    const status = (failure as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    // An error of the service's own about this call: neither an outage nor the words of something else at the address.
    if (name.endsWith("Exception") && status !== undefined && status < 500) return { kind: "unproved", text };
    return { kind: "unreachable", text, answered: status !== undefined };
  }
  const action = /\bto perform: (kms:\w+)/.exec(message)?.[1];
  const principal = /\bUser: (arn:\S+)/.exec(message)?.[1];
  const resource = /\bon resource: (arn:\S+)/.exec(message)?.[1];
  return {
    kind: "denied",
    text,
    denial: denialOf(message),
    ...(action !== undefined && { action }),
    ...(resource !== undefined && { resource }),
    ...(principal !== undefined && { principal }),
  };
}

export function denialOf(message: string): KmsDenial {
  if (/does not exist in this Region/.test(message)) return "no-such-key";
  if (/explicit deny|explicitly denies/.test(message)) return "explicit-deny";
  if (/no identity-based policy allows/.test(message)) return "identity-policy";
  return /no resource-based polic(?:y|ies) allow/.test(message) ? "key-policy" : "other";
}
