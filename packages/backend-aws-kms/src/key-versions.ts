import { BackendError, type BackendLogger, type CallContext, isBackendError, type KeyRef } from "@basil/core";
import { describeKey } from "./describe-key.js";
import { type GuardedCalls, whileWanted } from "./guarded-calls.js";
import { keyReference } from "./key-ref.js";
import { type KnownVersions, knownFrom, unrotated, versionOf } from "./known-versions.js";
import type { KmsObserver } from "./observer.js";
import { SingleFlight } from "./single-flight.js";
import { versionArns, versionReference } from "./version-alias.js";

interface Entry extends KnownVersions {
  /** The key the path led to at first, or since its last rotation. */
  readonly expectedArn?: string;
  readonly checkedAt: number;
}

/** How long a probe of a path that leads where it led spares the look for versions. */
const BELIEVED_MS = 60_000;
/** How long a look that failed is not tried again for the number of a version alone. */
const AFTER_FAILURE_MS = 5000;
/** How long an operation waits for such a look. */
const LENIENT_LOOK_MS = 2000;
const RETRY_AFTER_MS = 1000;
/** How often a doubt may cause another look, so that forged input cannot be turned into load. */
const DOUBT_WINDOW_MS = 1000;
const DOUBTS_PER_WINDOW = 8;

/**
 * Which versions a key has, told from aliases alone: `alias/x/v1`, `/v2`, … stay with their keys, and `alias/x` is moved
 * to the newest. A path without such aliases is at version 1.
 *
 * It also notices when a path leads to another key than before: to a later version, which is a rotation, or to a key
 * that is none, which is drift and is reported once.
 */
export class KeyVersions {
  readonly #calls: GuardedCalls;
  readonly #observer: KmsObserver | undefined;
  readonly #logger: BackendLogger | undefined;
  readonly #now: () => number;
  readonly #known = new Map<string, Entry>();
  readonly #drifted = new Map<string, string>();
  readonly #doubts = new Map<string, readonly number[]>();
  readonly #failedAt = new Map<string, number>();
  readonly #alarmed = new Set<string>();
  readonly #looks = new SingleFlight();

  constructor(
    calls: GuardedCalls,
    options: { readonly observer?: KmsObserver; readonly logger?: BackendLogger } = {},
    now: () => number = () => performance.now(),
  ) {
    this.#calls = calls;
    this.#observer = options.observer;
    this.#logger = options.logger;
    this.#now = now;
  }

  /** What was last seen; undefined when nobody looked yet. */
  known(key: KeyRef): KnownVersions | undefined {
    return this.#known.get(key.path);
  }

  /**
   * What is known, after a look when nothing is. What cannot be found out, because DescribeKey is denied or fails,
   * leaves what is known as it is: no operation fails for the number of a version.
   */
  async of(key: KeyRef, context: CallContext): Promise<KnownVersions> {
    const known = this.#known.get(key.path);
    if (known) return known;
    return (await this.#lenient(key, context, (limited) => this.look(key, limited))) ?? unrotated(undefined);
  }

  /**
   * As `of`, when something did not fit what is known: another process may have rotated. Looks again, a few times a
   * second at most, and after the doubt arose.
   */
  async doubted(key: KeyRef, context: CallContext): Promise<KnownVersions> {
    const known = await this.of(key, context);
    if (versionReference(key.path, 1) === undefined) return known;
    const looked = await this.#lenient(key, context, (limited) =>
      whileWanted(limited, (caller) =>
        this.#looks.runAfresh(`doubt ${key.path}`, caller, async (signal) =>
          this.#mayLookAgain(key) ? this.#lookFromStart(key, { signal, requestId: context.requestId }) : undefined,
        ),
      ),
    );
    return looked ?? this.#known.get(key.path) ?? known;
  }

  /** Looks now, by DescribeKey. @throws {@link BackendError} as DescribeKey. */
  look(key: KeyRef, context: CallContext): Promise<KnownVersions> {
    return whileWanted(context, (caller) =>
      this.#looks.run(key.path, caller, (signal) => this.#lookFromStart(key, { signal, requestId: context.requestId })),
    );
  }

  /** An operation on the path was answered by the key `arn`. @returns the version that is, as far as it can be told. */
  async answeredBy(key: KeyRef, arn: string, context: CallContext): Promise<number> {
    const told = this.#toldFromKnown(key, arn);
    if (told !== undefined) return told;
    const looked = await this.#lenient(key, context, (limited) => this.#lookAt(key, arn, limited));
    if (looked) return looked.current;
    const known = this.#known.get(key.path);
    return known ? known.current : this.#settle(key, arn, unrotated(arn), Number.NEGATIVE_INFINITY).current;
  }

  /**
   * As `answeredBy`, for a version that will be relied on: what was sealed under a wrong number would not open again.
   *
   * @throws {@link BackendError} `UNAVAILABLE` when the version cannot be told now. An identity that may not DescribeKey
   *   sees no versions, and relies on none.
   */
  async certainlyAnsweredBy(key: KeyRef, arn: string, context: CallContext): Promise<number> {
    const told = this.#toldFromKnown(key, arn);
    if (told !== undefined) return told;
    const limit = Date.now() + LENIENT_LOOK_MS;
    const limited = { ...context, deadline: Math.min(limit, context.deadline ?? limit) };
    try {
      return (await this.#lookAt(key, arn, limited)).current;
    } catch (error) {
      if (!isBackendError(error) || error.code === "CANCELLED") throw error;
      if (error.code === "ACCESS_DENIED") return this.#known.get(key.path)?.current ?? 1;
      if (error.code === "DEADLINE_EXCEEDED" && (context.deadline ?? limit) < limit) throw error;
      const why = `which version of key "${key.name}" ${arn} is cannot be told: ${error.message}`;
      throw new BackendError("UNAVAILABLE", why, { retryAfterMs: RETRY_AFTER_MS }, { cause: error });
    }
  }

  #toldFromKnown(key: KeyRef, arn: string): number | undefined {
    const known = this.#known.get(key.path);
    if (!known) return undefined;
    if (known.currentArn === arn) return known.current;
    const version = versionOf(known, arn);
    // For some seconds after a rotation KMS may still answer with the old key.
    if (version !== undefined && version < known.current) return version;
    if (known.expectedArn !== arn && !this.#alarmed.has(`${key.path} ${arn}`)) return undefined;
    this.#settle(key, arn, known);
    return known.current;
  }

  #lookAt(key: KeyRef, arn: string, context: CallContext): Promise<KnownVersions> {
    return whileWanted(context, (caller) =>
      this.#looks.run(`${key.path} ${arn}`, caller, (signal) =>
        this.#lookAlong(key, arn, { signal, requestId: context.requestId }),
      ),
    );
  }

  /** DescribeKey said that the path leads to `arn`; looks for versions when that is news or long ago. */
  async described(key: KeyRef, arn: string, context: CallContext): Promise<KnownVersions> {
    const known = this.#known.get(key.path);
    const believed = known && this.#now() - known.checkedAt < BELIEVED_MS;
    return believed && known.currentArn === arn ? known : this.#lookAlong(key, arn, context);
  }

  /** Paths that lead to a key which is none of their versions, with its ARN; for the operator. */
  get drifted(): ReadonlyMap<string, string> {
    return this.#drifted;
  }

  #mayLookAgain(key: KeyRef): boolean {
    const now = this.#now();
    const recent = (this.#doubts.get(key.path) ?? []).filter((at) => now - at < DOUBT_WINDOW_MS);
    if (recent.length >= DOUBTS_PER_WINDOW) return false;
    this.#doubts.set(key.path, [...recent, now]);
    return true;
  }

  async #lookFromStart(key: KeyRef, context: CallContext): Promise<KnownVersions> {
    const described = await describeKey(this.#calls, key, keyReference(key.path).keyId, context);
    return this.#lookAlong(key, described?.Arn, context);
  }

  /** A look that may fail or take too long, and then is not tried again at once: the operation itself matters more. */
  async #lenient<T extends KnownVersions | undefined>(
    key: KeyRef,
    context: CallContext,
    look: (limited: CallContext) => Promise<T>,
  ): Promise<T | undefined> {
    const failedAt = this.#failedAt.get(key.path) ?? Number.NEGATIVE_INFINITY;
    if (this.#now() - failedAt < AFTER_FAILURE_MS) return undefined;
    const limit = Date.now() + LENIENT_LOOK_MS;
    try {
      return await look({ ...context, deadline: Math.min(limit, context.deadline ?? limit) });
    } catch (error) {
      if (!isBackendError(error) || error.code === "CANCELLED") throw error;
      if (error.code === "DEADLINE_EXCEEDED" && (context.deadline ?? limit) < limit) throw error;
      this.#failedAt.set(key.path, this.#now());
      return undefined;
    }
  }

  async #lookAlong(key: KeyRef, arn: string | undefined, context: CallContext): Promise<KnownVersions> {
    const arns = await versionArns(this.#calls, key, this.#known.get(key.path), context);
    // Read again: another call may have seen the same meanwhile.
    const before = this.#known.get(key.path);
    const found = knownFrom(arns, arn, before);
    return this.#settle(key, arn, found, this.#now());
  }

  #settle(key: KeyRef, arn: string | undefined, found: KnownVersions, checkedAt?: number): KnownVersions {
    const before = this.#known.get(key.path);
    const { currentArn: _, expectedArn: __, ...rest } = { ...before, ...found };
    const settled = {
      ...rest,
      ...(arn !== undefined && { currentArn: arn }),
      checkedAt: checkedAt ?? before?.checkedAt ?? 0,
    };
    const expectedArn = before?.expectedArn;
    if (arn === undefined || expectedArn === undefined || expectedArn === arn) {
      this.#drifted.delete(key.path);
      this.#known.set(key.path, {
        ...settled,
        ...((expectedArn ?? arn) && { expectedArn: expectedArn ?? arn }),
      } as Entry);
      return settled;
    }
    const event = { key: key.name, path: key.path, arn };
    const version = versionOf(found, arn);
    if (before && version !== undefined && version > before.current) {
      this.#drifted.delete(key.path);
      this.#known.set(key.path, { ...settled, expectedArn: arn });
      this.#logger?.info({ ...event, version }, "the key was rotated");
      this.#observer?.onRotation?.({ ...event, version });
      return settled;
    }
    this.#known.set(key.path, { ...settled, expectedArn });
    this.#drifted.set(key.path, arn);
    if (!this.#alarmed.has(`${key.path} ${arn}`)) {
      this.#alarmed.add(`${key.path} ${arn}`);
      const text = "the path leads to another KMS key than before, and no later version alias points there";
      this.#logger?.error({ ...event, expectedArn }, text);
      this.#observer?.onDrift?.({ ...event, expectedArn });
    }
    return settled;
  }
}
