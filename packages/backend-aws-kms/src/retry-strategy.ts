import type { KMSClientConfig } from "@aws-sdk/client-kms";
import { mayHaveActed } from "./may-have-acted.js";

/** The SDK's own interface, version 2; it has no export under a name. */
export type RetryStrategy = Extract<
  NonNullable<KMSClientConfig["retryStrategy"]>,
  { acquireInitialRetryToken: unknown }
>;
type RetryToken = Awaited<ReturnType<RetryStrategy["acquireInitialRetryToken"]>>;
export type RetryErrorInfo = Parameters<RetryStrategy["refreshRetryTokenForRetry"]>[1];

/** What a retry costs and how long it waits, by kind; the SDK's standard mode has the same two kinds and costs. */
const KINDS = {
  THROTTLING: { cost: 5, baseDelayMs: 500 },
  TRANSIENT: { cost: 14, baseDelayMs: 50 },
} as const;
const MAX_DELAY_MS = 3000;
const BUDGET = 500;
/** Without it a long outage would leave no retry for the first fault after it. */
const BUDGET_REFILL_PER_SECOND = 50;

/** Tokens for retries, shared by every operation of a backend, so that an outage is not multiplied. */
export class RetryBudget {
  readonly #now: () => number;
  #tokens = BUDGET;
  #at: number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#at = now();
  }

  take(cost: number): boolean {
    const now = this.#now();
    this.give(((now - this.#at) / 1000) * BUDGET_REFILL_PER_SECOND);
    this.#at = now;
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  give(tokens: number): void {
    this.#tokens = Math.min(BUDGET, this.#tokens + tokens);
  }
}

export interface RetryLimits {
  /** Requests in all after resets, timeouts and 5xx. */
  readonly transientAttempts: number;
  /** Requests in all after throttling. */
  readonly throttlingAttempts: number;
  /** Send again only when KMS provably did not act: it answered ThrottlingException, or no byte left. */
  readonly onlyIfNotActed?: boolean;
}

/**
 * The SDK's `standard` mode (exponential backoff with jitter, a budget, throttling and transient faults only) with
 * three differences: a quota that is hard, LimitExceededException, is not retried; a call that must not be made twice
 * can be marked; and the budget also refills with time.
 */
export class BudgetedRetryStrategy implements RetryStrategy {
  readonly #limits: RetryLimits;
  readonly #budget: RetryBudget;

  constructor(limits: RetryLimits, budget: RetryBudget) {
    this.#limits = limits;
    this.#budget = budget;
  }

  async acquireInitialRetryToken(): Promise<RetryToken> {
    return token(0, 0, 0);
  }

  async refreshRetryTokenForRetry(previous: RetryToken, info: RetryErrorInfo): Promise<RetryToken> {
    const errorType = isClockSkew(info.error) ? "TRANSIENT" : info.errorType;
    if (errorType !== "THROTTLING" && errorType !== "TRANSIENT") throw new Error("not a fault to retry");
    const { transientAttempts, throttlingAttempts, onlyIfNotActed } = this.#limits;
    if (info.error?.name === "LimitExceededException") throw new Error("a hard quota");
    if (onlyIfNotActed && mayHaveActed(info.error)) throw new Error("KMS may have acted");
    const retries = previous.getRetryCount() + 1;
    if (retries >= (errorType === "THROTTLING" ? throttlingAttempts : transientAttempts))
      throw new Error("no attempt left");
    const { cost, baseDelayMs } = KINDS[errorType];
    if (!this.#budget.take(cost)) throw new Error("no retry budget left");
    const backoff = Math.min(MAX_DELAY_MS, baseDelayMs * 2 ** (retries - 1));
    // Half of it is certain: a retry in the same instant would meet the same throttle.
    const delay = Math.max(backoff * (0.5 + Math.random() / 2), hintMs(info));
    return token(retries, Math.round(delay), cost);
  }

  recordSuccess(used: RetryToken): void {
    this.#budget.give((used as Partial<{ getRetryCost(): number }>).getRetryCost?.() || 1);
  }
}

/**
 * The SDK has set its clock by the answer's Date when it asks here, but retries by itself only when the corrected clock
 * is off, and not when one wrong Date had put it off before.
 */
function isClockSkew(error: RetryErrorInfo["error"]): boolean {
  return error?.name === "InvalidSignatureException" && /^Signature (expired|not yet current)/.test(error.message);
}

function hintMs({ retryAfterHint }: RetryErrorInfo): number {
  return retryAfterHint ? Math.min(MAX_DELAY_MS, retryAfterHint.getTime() - Date.now()) : 0;
}

function token(retries: number, delayMs: number, cost: number): RetryToken & { getRetryCost(): number } {
  return { getRetryCount: () => retries, getRetryDelay: () => delayMs, getRetryCost: () => cost };
}
