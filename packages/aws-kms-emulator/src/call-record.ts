/** One decision of IAM inside a call. */
export interface AccessCheck {
  /** e.g. `kms:Sign` */
  readonly action: string;
  /** An ARN, or `*`. */
  readonly resource: string;
  readonly decision: "allow" | "deny";
  /** Denials only, e.g. `no identity-based policy allows`. */
  readonly reason?: string;
}

/** One call, as the log keeps it. Never a plaintext, message, signature, secret or token. */
export interface CallRecord {
  /** 1 for the first call of this emulator. */
  readonly sequence: number;
  /** ISO 8601, in the emulator's time. */
  readonly time: string;
  readonly service: "kms" | "sts" | "iam" | "imds" | "container" | "sso" | "unknown";
  /** e.g. `Sign`; as sent when it is not known. */
  readonly operation: string;
  /** The IAM action of the first check, or of the denied one; `undefined` when no decision was made. */
  readonly action: string | undefined;
  /** ARN of the caller; `undefined` when its signature was not accepted. */
  readonly principal: string | undefined;
  readonly accessKeyId: string | undefined;
  /** `KeyId`, `TargetKeyId` or `AliasName` as the caller typed it. */
  readonly keyId: string | undefined;
  /** Resource of the same check as `action`: a key ARN, an alias ARN, or `*`. */
  readonly resource: string | undefined;
  /** `none` when the call ended before any decision. */
  readonly decision: "allow" | "deny" | "none";
  readonly checks: readonly AccessCheck[];
  readonly requestId: string;
  /** HTTP status of the answer; 0 when none was sent (reset, hang). */
  readonly status: number;
  /** e.g. `AccessDeniedException`; `undefined` on success. */
  readonly errorCode: string | undefined;
  readonly errorMessage: string | undefined;
  /** Whether the request said `DryRun`: nothing is done then, whatever the answer. */
  readonly dryRun: boolean;
  /** Condition keys that a decision of this call tested and the emulator does not know: they counted as absent. */
  readonly unknownConditionKeys: readonly string[];
  /** Kind of the fault injected into this call. */
  readonly fault: string | undefined;
}

/** A record being filled in while its call is served. */
export class CallNote {
  service: CallRecord["service"] = "unknown";
  operation = "";
  principal: string | undefined;
  accessKeyId: string | undefined;
  keyId: string | undefined;
  errorCode: string | undefined;
  errorMessage: string | undefined;
  fault: string | undefined;
  dryRun = false;
  readonly checks: AccessCheck[] = [];
  readonly unknownConditionKeys = new Set<string>();
  readonly requestId: string;

  constructor(requestId: string) {
    this.requestId = requestId;
  }

  finish(sequence: number, now: number, status: number): CallRecord {
    const decisive = this.checks.find((check) => check.decision === "deny") ?? this.checks[0];
    return {
      sequence,
      time: new Date(now).toISOString(),
      service: this.service,
      operation: this.operation,
      action: decisive?.action,
      principal: this.principal,
      accessKeyId: this.accessKeyId,
      keyId: this.keyId,
      resource: decisive?.resource,
      decision: decisive?.decision ?? "none",
      checks: this.checks,
      requestId: this.requestId,
      status,
      errorCode: this.errorCode,
      errorMessage: this.errorMessage,
      dryRun: this.dryRun,
      unknownConditionKeys: [...this.unknownConditionKeys],
      fault: this.fault,
    };
  }
}
