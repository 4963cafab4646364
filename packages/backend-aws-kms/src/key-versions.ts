import { type BackendLogger, type CallContext, isBackendError, type KeyRef } from "@basil/core";
import { describeKey } from "./describe-key.js";
import { type GuardedCalls, whileWanted } from "./guarded-calls.js";
import { keyReference } from "./key-ref.js";
import type { KmsObserver } from "./observer.js";
import { SingleFlight } from "./single-flight.js";

/** What is known of the key behind one path. */
export interface KnownVersions {
  /** The ARN the path led to when it was last looked at; absent when it led nowhere. */
  readonly currentArn?: string;
  /** The version that ARN is. */
  readonly current: number;
  /** ARNs by version; without `/vN` aliases only version 1, the key itself. */
  readonly arns: ReadonlyMap<number, string>;
  /** True once a `/vN` alias was found. */
  readonly rotated: boolean;
}

interface Entry extends KnownVersions {
  /** The key the path led to at first, or since its last rotation. */
  readonly expectedArn?: string;
  readonly checkedAt: number;
}

/** How long a probe of a path that leads where it led spares the look for versions. */
const BELIEVED_MS = 60_000;
/** How long a look that failed is not tried again for the number of a version alone. */
const AFTER_FAILURE_MS = 5000;
/** How often a doubt may cause another look, so that forged input cannot be turned into load. */
const DOUBT_WINDOW_MS = 1000;
const DOUBTS_PER_WINDOW = 8;
const MOST_VERSIONS = 1000;

/** `alias/x/vN`, for an alias or an alias ARN; undefined where AWS names the key and there can be no version. */
export function versionReference(path: string, version: number): string | undefined {
  const { form, keyId } = keyReference(path);
  const named = form === "alias" || (form === "arn" && /^arn:[^:]+:kms:[^:]*:[^:]*:alias\//.test(keyId));
  return named ? `${keyId}/v${version}` : undefined;
}

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
    return (await this.#lenient(key, () => this.look(key, context))) ?? unrotated(undefined);
  }

  /**
   * As `of`, when something did not fit what is known: another process may have rotated. Looks again, a few times a
   * second at most, and after the doubt arose.
   */
  async doubted(key: KeyRef, context: CallContext): Promise<KnownVersions> {
    const known = await this.of(key, context);
    if (versionReference(key.path, 1) === undefined) return known;
    const looked = await this.#lenient(key, () =>
      whileWanted(context, (caller) =>
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

  /** An operation on the path was answered by the key `arn`. @returns the version that is. */
  async answeredBy(key: KeyRef, arn: string, context: CallContext): Promise<number> {
    const known = this.#known.get(key.path);
    if (known?.currentArn === arn) return known.current;
    const version = known && versionOf(known, arn);
    // For some seconds after a rotation KMS may still answer with the old key.
    if (known && version !== undefined && version < known.current) return version;
    if (known && (known.expectedArn === arn || this.#alarmed.has(`${key.path} ${arn}`))) {
      this.#settle(key, arn, known);
      return known.current;
    }
    const looked = await this.#lenient(key, () =>
      whileWanted(context, (caller) =>
        this.#looks.run(`${key.path} ${arn}`, caller, (signal) =>
          this.#lookAlong(key, arn, { signal, requestId: context.requestId }),
        ),
      ),
    );
    if (looked) return looked.current;
    if (known) return known.current;
    return this.#settle(key, arn, unrotated(arn), Number.NEGATIVE_INFINITY).current;
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

  /** A look that may fail, and then is not tried again at once. */
  async #lenient<T extends KnownVersions | undefined>(key: KeyRef, look: () => Promise<T>): Promise<T | undefined> {
    const failedAt = this.#failedAt.get(key.path) ?? Number.NEGATIVE_INFINITY;
    if (this.#now() - failedAt < AFTER_FAILURE_MS) return undefined;
    try {
      return await look();
    } catch (error) {
      if (isBackendError(error) && (error.code === "CANCELLED" || error.code === "DEADLINE_EXCEEDED")) throw error;
      this.#failedAt.set(key.path, this.#now());
      return undefined;
    }
  }

  async #lookAlong(key: KeyRef, arn: string | undefined, context: CallContext): Promise<KnownVersions> {
    const arns = await this.#versionArns(key, this.#known.get(key.path), context);
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

  async #versionArns(
    key: KeyRef,
    before: KnownVersions | undefined,
    context: CallContext,
  ): Promise<ReadonlyMap<number, string>> {
    const arns = new Map(before?.rotated ? before.arns : []);
    for (let version = arns.size + 1; version <= MOST_VERSIONS; version += 1) {
      const reference = versionReference(key.path, version);
      if (reference === undefined) break;
      const described = await describeVersion(this.#calls, key, reference, context);
      if (described === undefined) break;
      arns.set(version, described);
    }
    return arns;
  }
}

function versionOf({ arns }: KnownVersions, arn: string): number | undefined {
  return [...arns].find(([, known]) => known === arn)?.[0];
}

function knownFrom(
  arns: ReadonlyMap<number, string>,
  arn: string | undefined,
  before: KnownVersions | undefined,
): KnownVersions {
  if (arns.size === 0) return unrotated(arn);
  const at = arn === undefined ? undefined : [...arns].find(([, known]) => known === arn)?.[0];
  return {
    ...(arn !== undefined && { currentArn: arn }),
    current: at ?? before?.current ?? arns.size,
    arns,
    rotated: true,
  };
}

function unrotated(arn: string | undefined): KnownVersions {
  if (arn === undefined) return { current: 1, arns: new Map(), rotated: false };
  return { currentArn: arn, current: 1, arns: new Map([[1, arn]]), rotated: false };
}

/** A version alias that the identity may not describe is as good as none. */
async function describeVersion(
  calls: GuardedCalls,
  key: KeyRef,
  reference: string,
  context: CallContext,
): Promise<string | undefined> {
  try {
    return (await describeKey(calls, key, reference, context))?.Arn;
  } catch (error) {
    if (isBackendError(error) && error.code === "ACCESS_DENIED") return undefined;
    throw error;
  }
}
