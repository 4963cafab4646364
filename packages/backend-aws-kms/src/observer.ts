import type { BackendErrorCode } from "@basil/core";
import type { KmsAction } from "./client.js";

/** One operation on KMS, retries included. Calls that were answered from a cache or joined another are not among them. */
export interface KmsCallEvent {
  readonly action: KmsAction;
  /** The catalog's name of the key. */
  readonly key: string;
  /** `ok` also for a signature that does not verify: KMS did its work. */
  readonly outcome: "ok" | BackendErrorCode;
  /** Of the whole call, its retries and the waits between them included. */
  readonly durationMs: number;
  /** Requests that went out; 0 when the breaker was open. */
  readonly attempts: number;
  /** Of the last answer, as CloudTrail has it. */
  readonly requestId?: string;
}

export interface BreakerEvent {
  readonly action: KmsAction;
  readonly key: string;
  readonly state: "open" | "closed";
}

/** A path leads to a later version of its key. */
export interface RotationEvent {
  readonly key: string;
  readonly path: string;
  readonly arn: string;
  /** The one it leads to now. */
  readonly version: number;
}

/** A path leads to a key that is no version of the one before. Calls are still served by it. */
export interface DriftEvent {
  readonly key: string;
  readonly path: string;
  readonly expectedArn: string;
  readonly arn: string;
}

/** For metrics. Each hook is optional and is called synchronously; what it throws is logged. */
export interface KmsObserver {
  onCall?(event: KmsCallEvent): void;
  onBreaker?(event: BreakerEvent): void;
  onRotation?(event: RotationEvent): void;
  /** Once for each key a path drifts to. */
  onDrift?(event: DriftEvent): void;
}
