import type { KeyObject } from "node:crypto";
import {
  abortable,
  asBackendError,
  BackendError,
  type BackendErrorCode,
  type CallContext,
  type PublicKeyResult,
  type SignResult,
  within,
} from "@basil/core";
import type { Logger } from "./logger.js";
import type { BrokerMetrics } from "./metrics/broker-metrics.js";
import type { Call } from "./request/call.js";
import type { TransitKey } from "./request/checks.js";
import { isVerifiedLocally, verificationKey, verifyLocally } from "./verify-locally.js";

/**
 * Which signatures are verified here before they are answered. `first`: the first of each key version, one that could not
 * be is served and the next one tried; `always`: each, and one that cannot be is not served; `never`: none.
 */
export const VERIFY_SIGNATURES = ["first", "always", "never"] as const;
export type VerifySignatures = (typeof VERIFY_SIGNATURES)[number];

/** How long the public key of a first signature may take: its caller waits for it. */
const FETCH_MS = 2000;
/** How long a public key that could not be had is not asked for again. */
const AGAIN_AFTER_MS = 60_000;
/** What keeps a public key from being had and is no fault of the signature: access control, an outage, a key type. */
const NO_FAULT: ReadonlySet<BackendErrorCode> = new Set([
  "ACCESS_DENIED",
  "UNAVAILABLE",
  "UNSUPPORTED",
  "UNSUPPORTED_ALGORITHM",
  "KEY_NOT_FOUND",
  "KEY_UNUSABLE",
  "REJECTED",
  "CANCELLED",
  "DEADLINE_EXCEEDED",
] as const);
/** Key versions that are remembered; more than a catalog has, and an end for a backend that makes names up. */
const MAX_REMEMBERED = 20_000;

/**
 * Holds signatures against the public key that the backend gives for the very key that signed: by its full name and version,
 * so that an alias which was moved meanwhile is no lie. A signature that does not verify never leaves.
 */
export class SignatureCheck {
  readonly #mode: VerifySignatures;
  readonly #logger: Logger;
  readonly #metrics: BrokerMetrics;
  readonly #now: () => number;
  /** Versions whose first signature was good. */
  readonly #good = new Set<string>();
  readonly #publicKeys = new Map<string, KeyObject>();
  readonly #againAt = new Map<string, number>();
  readonly #told = new Set<string>();

  constructor(
    mode: VerifySignatures,
    parts: { readonly logger: Logger; readonly metrics: BrokerMetrics },
    now: () => number = () => performance.now(),
  ) {
    this.#mode = mode;
    this.#logger = parts.logger;
    this.#metrics = parts.metrics;
    this.#now = now;
  }

  /** @throws {@link BrokerError} `BACKEND_ERROR` for a signature that does not verify; with `always` also for one that cannot be verified. */
  async require(call: Call, key: TransitKey, message: Uint8Array, signed: SignResult): Promise<void> {
    if (this.#mode === "never") return;
    const { ref, backend } = key;
    const version = [backend.id, ref.keyType, signed.keyVersion, signed.resource].join("\n");
    if (this.#mode === "first" && (this.#good.has(version) || this.#now() < (this.#againAt.get(version) ?? 0))) return;
    const publicKey = await this.#publicKey(call, key, signed, version);
    if (publicKey === undefined) return;
    const valid = await verifyLocally(ref.keyType, publicKey, message, signed.signature).catch(() => false);
    this.#metrics.signatureCheck(ref.name, backend.id, valid ? "good" : "bad");
    if (valid) {
      this.#good.add(version);
      forgetOver(this.#good);
      return;
    }
    const { resource, keyVersion } = signed;
    const fields = { backend: backend.id, kind: backend.kind, key: ref.name, resource, version: keyVersion };
    this.#logger.error(fields, "a signature does not verify with the public key of the key that made it: withheld");
    const cause = new Error(`backend "${backend.id}" gave a signature that key ${ref.name} (${resource}) did not make`);
    throw call.fail("BACKEND_ERROR", "backend operation failed", cause);
  }

  /** Undefined when it cannot be had and the signature is served without; told once a key and reason. */
  async #publicKey(call: Call, key: TransitKey, signed: SignResult, version: string): Promise<KeyObject | undefined> {
    const known = this.#publicKeys.get(version);
    if (known !== undefined) return known;
    try {
      const { publicKey } = await this.#fetch(call, key, signed);
      const read = readKey(publicKey, key);
      if (this.#mode === "always") {
        this.#publicKeys.set(version, read);
        forgetOver(this.#publicKeys);
      }
      return read;
    } catch (failure) {
      const { signal } = call.context;
      if (signal.aborted) throw signal.reason;
      return this.#uncheckable(call, key, signed, version, failure);
    }
  }

  /** Of the key that signed, by version; where the path led elsewhere meanwhile, the newest may be it. */
  async #fetch(call: Call, { ref, backend, transit }: TransitKey, signed: SignResult): Promise<PublicKeyResult> {
    const operations = backend.capabilities.keyTypes[ref.keyType]?.operations ?? [];
    if (!isVerifiedLocally(ref.keyType) || !operations.includes("publicKey")) {
      const why = `signatures of ${ref.keyType} are not verified here, or the backend gives no public key`;
      throw new BackendError("UNSUPPORTED", why, { operation: "publicKey" });
    }
    const fits = (it: PublicKeyResult) => it.resource === signed.resource && it.keyVersion === signed.keyVersion;
    const options = { version: signed.keyVersion };
    const fetch = async (context: CallContext) => {
      const byVersion = await transit.publicKey(ref, context, options);
      if (fits(byVersion)) return byVersion;
      const newest = await transit.publicKey(ref, context);
      if (fits(newest)) return newest;
      const found = `version ${newest.keyVersion} of ${newest.resource}`;
      const message = `${signed.resource}, version ${signed.keyVersion}, signed; the public key to be had is of ${found}`;
      throw new BackendError("KEY_NOT_FOUND", message, { key: ref.name });
    };
    const { context } = call;
    if (this.#mode !== "first") return abortable(fetch(context), context.signal);
    const late = () => new BackendError("UNAVAILABLE", `no public key in ${FETCH_MS} ms`, {});
    return within(FETCH_MS, context.signal, (signal) => fetch({ ...context, signal }), { late });
  }

  #uncheckable(call: Call, key: TransitKey, signed: SignResult, version: string, failure: unknown): undefined {
    const error = asBackendError(failure);
    const { ref, backend } = key;
    this.#metrics.signatureCheck(ref.name, backend.id, "unchecked");
    if (this.#mode === "always" || !NO_FAULT.has(error.code)) throw call.failedBackend(error);
    this.#againAt.set(version, this.#now() + AGAIN_AFTER_MS);
    forgetOver(this.#againAt);
    const telling = `${version} ${error.code}`;
    if (this.#told.has(telling)) return undefined;
    this.#told.add(telling);
    forgetOver(this.#told);
    const fields = { backend: backend.id, key: ref.name, resource: signed.resource, code: error.code };
    const action = error.code === "ACCESS_DENIED" ? { action: error.details.action } : {};
    this.#logger.warn(
      { ...fields, ...action, error: error.message },
      "the first signature of a key version was not verified, for its public key cannot be had; it was served",
    );
    return undefined;
  }
}

function readKey(spki: Uint8Array, { ref, backend }: TransitKey): KeyObject {
  try {
    return verificationKey(spki, ref.keyType);
  } catch (cause) {
    const message = `backend "${backend.id}" gave a public key of ${ref.name} that is none of ${ref.keyType}`;
    throw new BackendError("PUBLIC_KEY_MALFORMED", message, { keyType: ref.keyType }, { cause });
  }
}

function forgetOver(remembered: Set<string> | Map<string, unknown>): void {
  if (remembered.size > MAX_REMEMBERED) remembered.clear();
}
