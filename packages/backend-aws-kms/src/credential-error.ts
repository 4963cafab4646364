/** A source of AWS credentials gave none. The message is for the operator. */
export class CredentialSourceError extends Error {
  override readonly name = "CredentialsProviderError";
  /** What the operator has to do. */
  readonly remedy: string;
  /** True when the source answers the same until an operator changes something: a retry cannot succeed. */
  readonly permanent: boolean;

  constructor(
    message: string,
    remedy: string,
    options: { readonly permanent?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.remedy = remedy;
    this.permanent = options.permanent ?? true;
  }
}

/** Refused connections, timeouts and 5xx: the source may answer later. */
const TRANSIENT =
  /ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|timed? ?out|no answer within|socket hang up|status: (429|5\d\d)|throttl/i;

/** Whether the source of credentials may answer differently without any change by an operator. */
export function isTransientSourceFailure(failure: unknown): boolean {
  if (failure instanceof CredentialSourceError) return !failure.permanent;
  if (!(failure instanceof Error)) return false;
  const { code, $metadata, $fault } = failure as {
    code?: unknown;
    $metadata?: { httpStatusCode?: number };
    $fault?: string;
  };
  const status = $metadata?.httpStatusCode ?? 0;
  return (
    $fault === "server" ||
    status >= 500 ||
    status === 429 ||
    TRANSIENT.test(`${failure.name} ${String(code)} ${failure.message}`)
  );
}
