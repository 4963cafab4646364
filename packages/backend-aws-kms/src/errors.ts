import { BackendError, type BackendErrorCode, type BackendErrorDetails, type KeyRef } from "@basil/core";
import type { KmsAction } from "./client.js";
import { CredentialSourceError, isTransientSourceFailure } from "./credential-error.js";

/** What was asked of KMS when it failed. */
export interface KmsRequestSubject {
  readonly action: KmsAction;
  readonly key: KeyRef;
  /** The reference KMS was given: alias, ARN or key id; absent for a call that names no key. */
  readonly keyId?: string;
  /** Of CreateKey: what was asked for, and where, as far as that was given. */
  readonly keySpec?: string;
  readonly region?: string;
}

/** How soon another try makes sense when KMS gives no hint of its own. */
const RETRY_AFTER_MS = 1000;

/** Verify says no by an exception; see `signing.ts`. */
export const INVALID_SIGNATURE = "KMSInvalidSignatureException";

type Outcome = "throttled" | "unavailable" | "credentials" | "denied" | BackendErrorCode;

/**
 * Every code KMS and its front end answer with that is not simply `REJECTED`: the modelled ones from the API reference,
 * the others from https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html.
 */
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  ThrottlingException: "throttled",
  Throttling: "throttled",
  ThrottledException: "throttled",
  RequestThrottledException: "throttled",
  RequestLimitExceeded: "throttled",
  TooManyRequestsException: "throttled",
  SlowDown: "throttled",

  DependencyTimeoutException: "unavailable",
  KMSInternalException: "unavailable",
  KeyUnavailableException: "unavailable",
  InternalFailure: "unavailable",
  InternalServerError: "unavailable",
  ServiceUnavailable: "unavailable",
  ServiceUnavailableException: "unavailable",
  RequestTimeout: "unavailable",
  RequestTimeoutException: "unavailable",
  TimeoutError: "unavailable",

  ExpiredToken: "credentials",
  ExpiredTokenException: "credentials",
  UnrecognizedClientException: "credentials",
  InvalidClientTokenId: "credentials",
  InvalidSignatureException: "credentials",
  RequestExpired: "credentials",
  MissingAuthenticationToken: "credentials",
  MissingAuthenticationTokenException: "credentials",
  CredentialsProviderError: "credentials",
  TokenProviderError: "credentials",

  AccessDenied: "denied",
  AccessDeniedException: "denied",

  NotFoundException: "KEY_NOT_FOUND",
  DisabledException: "KEY_UNUSABLE",
  KMSInvalidStateException: "KEY_UNUSABLE",
  InvalidKeyUsageException: "KEY_UNUSABLE",
  AlreadyExistsException: "KEY_EXISTS",
};

/** Where an operation gives a code a meaning of its own. */
const OUTCOMES_BY_ACTION: { readonly [A in KmsAction]?: Readonly<Record<string, Outcome>> } = {
  Decrypt: { InvalidCiphertextException: "DECRYPT_FAILED", IncorrectKeyException: "DECRYPT_FAILED" },
  // There is no public half to a symmetric key.
  GetPublicKey: { UnsupportedOperationException: "KEY_UNUSABLE" },
  // A key spec that this region does not offer.
  CreateKey: { UnsupportedOperationException: "UNSUPPORTED_ALGORITHM" },
};

/**
 * A failure of the wire or of KMS as the contract has it. The message is for the operator: it holds the action, the key
 * and the text AWS gave, and no part of what was signed or encrypted. `cause` is the failure itself.
 */
export function kmsError(subject: KmsRequestSubject, failure: unknown): BackendError {
  if (failure instanceof BackendError) return failure;
  const fault = read(failure);
  const fail = <C extends BackendErrorCode>(code: C, why: string, details: BackendErrorDetails[C]) =>
    new BackendError(code, `${describe(subject)} ${why}`, details, {
      cause: failure,
      ...(fault.requestId !== undefined && { backendRequestId: fault.requestId }),
    });
  const text = `${fault.name}${fault.text && `: ${fault.text}`}`;
  switch (outcomeOf(subject.action, fault)) {
    case "throttled":
      return fail("UNAVAILABLE", `was throttled: ${text}`, { retryAfterMs: RETRY_AFTER_MS });
    case "unavailable":
      return fail("UNAVAILABLE", `did not get through: ${text}`, unreachable(fault));
    case "credentials":
      return fail("UNAVAILABLE", `found no usable AWS credentials: ${text}`, unusableCredentials(fault, failure));
    case "denied":
      return accessDenied(subject, fault, fail);
    case "KEY_NOT_FOUND":
      return fail("KEY_NOT_FOUND", `found no such key: ${text}`, { key: subject.key.name });
    case "KEY_UNUSABLE":
      return fail("KEY_UNUSABLE", `found the key unusable: ${text}`, { key: subject.key.name, reason: text });
    case "KEY_EXISTS":
      return fail("KEY_EXISTS", `found a key there already: ${text}`, { key: subject.key.name });
    case "DECRYPT_FAILED":
      return fail("DECRYPT_FAILED", `failed: wrong key, wrong context or not a ciphertext of it`, {});
    case "UNSUPPORTED_ALGORITHM":
      return fail("UNSUPPORTED_ALGORITHM", `was refused: ${notOffered(subject)}: ${text}`, {
        keyType: subject.key.keyType,
      });
    case "PROTOCOL":
      return fail("PROTOCOL", `got an answer that is not one of KMS: ${text}`, {});
    default:
      return fail("REJECTED", `was refused: ${text}`, { backendCode: fault.name });
  }
}

/** Where KMS was not reached at all, the remedy depends on the step that failed. */
function unreachable({ name, text, systemCode }: Fault): BackendErrorDetails["UNAVAILABLE"] {
  const variables = "AWS_ENDPOINT_URL_KMS or AWS_ENDPOINT_URL";
  if (isMalformedEndpoint(systemCode, text)) {
    const remedy = `write endpoint (in the bundle), ${variables} with http:// or https://`;
    return { retryAfterMs: RETRY_AFTER_MS, permanent: true, remedy };
  }
  if (name === "ENOTFOUND" || systemCode === "ENOTFOUND") {
    const remedy = `check the region and endpoint of the bundle, ${variables}, and the name service of this host`;
    return { retryAfterMs: RETRY_AFTER_MS, remedy };
  }
  return { retryAfterMs: RETRY_AFTER_MS };
}

function isMalformedEndpoint(systemCode: string | undefined, text: string): boolean {
  return systemCode === "ERR_INVALID_URL" || /Invalid URL protocol|Invalid URL/i.test(text);
}

/** A new access key takes seconds to spread through AWS; every other refusal stays until an operator acts. */
function unusableCredentials({ name, text }: Fault, failure: unknown): BackendErrorDetails["UNAVAILABLE"] {
  const answer = (remedy: string, permanent: boolean) => ({
    retryAfterMs: RETRY_AFTER_MS,
    remedy: `${remedy}; basil doctor --live shows the identity`,
    ...(permanent && { permanent }),
  });
  if (failure instanceof CredentialSourceError) return answer(failure.remedy, failure.permanent);
  switch (name) {
    case "UnrecognizedClientException":
    case "InvalidClientTokenId":
      return answer("check that the access key exists, is active and belongs to this partition", false);
    case "InvalidSignatureException":
      if (/^Signature (expired|not yet current)/.test(text)) return answer("set this host's clock by NTP", false);
      return /scope/i.test(text)
        ? answer("check region and endpoint of the bundle: the request was signed for another region", true)
        : answer("check the secret access key (AWS_SECRET_ACCESS_KEY, or aws_secret_access_key of the profile)", true);
    case "ExpiredToken":
    case "ExpiredTokenException":
      return answer("renew the session (aws sso login, or new values of AWS_SESSION_TOKEN and its keys)", true);
    default:
      return answer("check the source of the credentials", !isTransientSourceFailure(failure));
  }
}

/** KMS answered with success and left out what the operation is for. */
export function incompleteAnswer(subject: KmsRequestSubject, missing: string, requestId?: string): BackendError {
  return new BackendError(
    "PROTOCOL",
    `${describe(subject)} was answered without ${missing}`,
    {},
    requestId === undefined ? {} : { backendRequestId: requestId },
  );
}

function describe({ action, key, keyId }: KmsRequestSubject): string {
  const reference = keyId === undefined || keyId === key.path ? key.path : `${key.path} as ${keyId}`;
  return `kms:${action} for key "${key.name}" (${reference})`;
}

function notOffered({ key, keySpec = key.keyType, region }: KmsRequestSubject): string {
  return `${keySpec} is not offered by KMS in ${region ?? "this region"}`;
}

function accessDenied(
  subject: KmsRequestSubject,
  fault: Fault,
  fail: (code: "ACCESS_DENIED", why: string, details: BackendErrorDetails["ACCESS_DENIED"]) => BackendError,
): BackendError {
  // CreateKey with tags is denied for kms:TagResource, CreateAlias for the alias or for the key: AWS's text says which.
  const action = /\bperform: (kms:[A-Za-z]+)/.exec(fault.text)?.[1] ?? `kms:${subject.action}`;
  const resource = /\bon resource: (\S+)/.exec(fault.text)?.[1] ?? subject.keyId;
  return fail(
    "ACCESS_DENIED",
    `was denied; the broker's IAM identity needs ${action}${resource === undefined ? "" : ` on ${resource}`}: ${fault.name}: ${fault.text}`,
    { action, ...(resource !== undefined && { resource }) },
  );
}

interface Fault {
  readonly name: string;
  readonly text: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly systemCode: string | undefined;
}

function outcomeOf(action: KmsAction, fault: Fault): Outcome {
  // A region that does not know the spec at all says that it is no value of the enum.
  if (action === "CreateKey" && fault.name === "ValidationException" && /at 'keySpec' failed/i.test(fault.text)) {
    return "UNSUPPORTED_ALGORITHM";
  }
  const byAction = OUTCOMES_BY_ACTION[action];
  if (byAction && Object.hasOwn(byAction, fault.name)) return byAction[fault.name] ?? "REJECTED";
  if (Object.hasOwn(OUTCOMES, fault.name)) return OUTCOMES[fault.name] ?? "REJECTED";
  if (fault.status === 429) return "throttled";
  if (fault.status !== undefined && fault.status >= 500) return "unavailable";
  if (fault.name === "SyntaxError") return "PROTOCOL";
  // ECONNREFUSED, ENOTFOUND, CERT_HAS_EXPIRED and the like: there was no answer at all.
  if (fault.systemCode !== undefined || isMalformedEndpoint(undefined, fault.text)) return "unavailable";
  return "REJECTED";
}

function read(failure: unknown): Fault {
  if (typeof failure !== "object" || failure === null) {
    return { name: typeof failure, text: "", status: undefined, requestId: undefined, systemCode: undefined };
  }
  const { name, message, code, $metadata, $response } = failure as {
    name?: unknown;
    message?: unknown;
    code?: unknown;
    $metadata?: { httpStatusCode?: number; requestId?: string };
    $response?: { statusCode?: number };
  };
  const systemCode = typeof code === "string" ? code : undefined;
  const text = typeof message === "string" && message !== "UnknownError" ? message : "";
  return {
    // Of several addresses none answered: Node joins their errors under the code of one.
    name:
      (name === "Error" || name === "AggregateError") && systemCode !== undefined
        ? systemCode
        : typeof name === "string"
          ? name
          : "Error",
    text,
    status: $metadata?.httpStatusCode ?? $response?.statusCode,
    requestId: $metadata?.requestId,
    systemCode,
  };
}
