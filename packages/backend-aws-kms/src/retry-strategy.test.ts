import { describe, expect, it } from "vitest";
import { BudgetedRetryStrategy, RetryBudget, type RetryLimits } from "./retry-strategy.js";

type Kind = "THROTTLING" | "TRANSIENT" | "CLIENT_ERROR" | "SERVER_ERROR";
type SdkError = NonNullable<Parameters<BudgetedRetryStrategy["refreshRetryTokenForRetry"]>[1]["error"]>;
const LIMITS: RetryLimits = { transientAttempts: 3, throttlingAttempts: 8 };

/** The delays before each retry of one operation that fails this way until no attempt is left. */
async function delays(strategy: BudgetedRetryStrategy, errorType: Kind, fields: object = {}, hint?: Date) {
  const error = Object.assign(new Error(), fields) as SdkError;
  const seen: number[] = [];
  let token = await strategy.acquireInitialRetryToken();
  try {
    for (;;) {
      token = await strategy.refreshRetryTokenForRetry(token, {
        errorType,
        error,
        ...(hint && { retryAfterHint: hint }),
      });
      seen.push(token.getRetryDelay());
    }
  } catch {
    return seen;
  }
}

describe("BudgetedRetryStrategy", () => {
  it("retries a transient fault twice, 25 to 50 and 50 to 100 ms apart", async () => {
    const seen = await delays(new BudgetedRetryStrategy(LIMITS, new RetryBudget()), "TRANSIENT");
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBeGreaterThanOrEqual(25);
    expect(seen[0]).toBeLessThanOrEqual(50);
    expect(seen[1]).toBeGreaterThanOrEqual(50);
    expect(seen[1]).toBeLessThanOrEqual(100);
  });

  it("retries throttling up to its own limit, the waits capped at three seconds", async () => {
    const seen = await delays(new BudgetedRetryStrategy(LIMITS, new RetryBudget()), "THROTTLING");
    expect(seen).toHaveLength(7);
    expect(seen[0]).toBeGreaterThanOrEqual(250);
    expect(Math.max(...seen)).toBeLessThanOrEqual(3000);
    expect(seen.at(-1)).toBeGreaterThanOrEqual(1500);
  });

  it("retries nothing else", async () => {
    const strategy = new BudgetedRetryStrategy(LIMITS, new RetryBudget());
    expect(await delays(strategy, "CLIENT_ERROR")).toEqual([]);
    expect(await delays(strategy, "SERVER_ERROR")).toEqual([]);
    expect(await delays(strategy, "THROTTLING", { name: "LimitExceededException" })).toEqual([]);
  });

  it("retries a signature that was off in time, for the clock is corrected by then", async () => {
    const strategy = new BudgetedRetryStrategy(LIMITS, new RetryBudget());
    const skewed = (message: string) => ({ name: "InvalidSignatureException", message });
    expect(
      await delays(strategy, "CLIENT_ERROR", skewed("Signature not yet current: a is still later than b")),
    ).toHaveLength(2);
    expect(await delays(strategy, "CLIENT_ERROR", skewed("Signature expired: a is now earlier than b"))).toHaveLength(
      2,
    );
    expect(await delays(strategy, "CLIENT_ERROR", skewed("The request signature we calculated"))).toEqual([]);
  });

  it("waits as long as the server asks, up to three seconds", async () => {
    const strategy = new BudgetedRetryStrategy(LIMITS, new RetryBudget());
    const [first] = await delays(strategy, "TRANSIENT", undefined, new Date(Date.now() + 60_000));
    expect(first).toBe(3000);
  });

  it("sends what must not be made twice again only when KMS did not act", async () => {
    const once = new BudgetedRetryStrategy({ ...LIMITS, onlyIfNotActed: true }, new RetryBudget());
    expect(await delays(once, "TRANSIENT", { code: "ECONNRESET", requestSent: true })).toEqual([]);
    expect(await delays(once, "TRANSIENT", { name: "KMSInternalException" })).toEqual([]);
    expect(await delays(once, "THROTTLING", { name: "TooManyRequestsException" })).toEqual([]);
    expect(await delays(once, "TRANSIENT", { code: "ECONNREFUSED", requestSent: false })).toHaveLength(2);
    expect(await delays(once, "THROTTLING", { name: "ThrottlingException" })).toHaveLength(7);
  });

  it("stops when the budget of all operations is spent, and goes on when time has refilled it", async () => {
    let now = 0;
    const strategy = new BudgetedRetryStrategy(LIMITS, new RetryBudget(() => now));
    let retries = 0;
    for (let operation = 0; operation < 100; operation += 1) retries += (await delays(strategy, "TRANSIENT")).length;
    expect(retries).toBe(Math.floor(500 / 14));
    now = 1000;
    expect(await delays(strategy, "TRANSIENT")).toHaveLength(2);
  });

  it("gets back what a retry cost when it succeeds", async () => {
    const strategy = new BudgetedRetryStrategy(LIMITS, new RetryBudget(() => 0));
    for (let operation = 0; operation < 100; operation += 1) {
      const token = await strategy.acquireInitialRetryToken();
      strategy.recordSuccess(await strategy.refreshRetryTokenForRetry(token, { errorType: "TRANSIENT" }));
    }
    expect(await delays(strategy, "TRANSIENT")).toHaveLength(2);
  });
});
