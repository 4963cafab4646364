import type { KeyEntry } from "@basil/catalog";
import { abortable, type CallContext } from "@basil/core";
import {
  type AdminOperation,
  adminTarget,
  type Decision,
  decide,
  decideAdmin,
  type Identity,
  type Operation,
  type Resolution,
} from "@basil/policy";
import { recordedName } from "../audit/recorded-name.js";
import { BrokerError } from "../errors.js";
import type { Generation } from "../generation.js";
import { backendAnswer } from "./backend-answers.js";
import { resolutionOf } from "./resolutions.js";
import type { Services } from "./services.js";

/** A decision of the policy, as the audit log tells it. */
export interface Verdict {
  readonly op: string;
  /** Cut and escaped, for logs and records. */
  readonly target: string;
  readonly allowed: boolean;
  readonly reason: string;
  /** What did this one's work, where it is not what did the request's. */
  provenance?: Provenance;
}

/** Which key did the work, for the audit log. */
export interface Provenance {
  readonly keyVersion?: number | undefined;
  readonly resource?: string | undefined;
  readonly backendRequestId?: string | undefined;
  /** What was found at start, when `resource` is another. */
  readonly expectedResource?: string | undefined;
}

/** The failures a handler itself finds; those of backends come from `ask`, those of time from the dispatcher. */
type HandlerCode =
  | "UNAUTHENTICATED"
  | "INVALID_REQUEST"
  | "INVALID_ARGUMENT"
  | "PAYLOAD_TOO_LARGE"
  | "UNSUPPORTED"
  | "UNSUPPORTED_ALGORITHM"
  | "BACKEND_ERROR"
  | "INTERNAL"
  | "NO_REVOCATION_STORE";

/** Codes of a backend or key that does not work, not of a request that it rejects. */
const BACKEND_FAILURES: ReadonlySet<string> = new Set(["BACKEND_UNAVAILABLE", "BACKEND_ERROR", "INTERNAL"]);

/** One request on its way: who asks, on which generation, what was decided, what was used. */
export class Call {
  readonly identity: Identity;
  /** Pinned at entry: what is loaded meanwhile does not touch this request. */
  readonly generation: Generation;
  readonly services: Services;
  readonly context: CallContext;
  readonly resolution: Resolution;
  /** The first value of a field of the request's metadata; the name is in lower case. */
  readonly metadata: (name: string) => string | undefined;
  readonly verdicts: Verdict[] = [];
  provenance: Provenance = {};
  /** The kind and the name of the backend that holds the key; undefined before a key was authorized. */
  backendKind: string | undefined;
  backendId: string | undefined;
  /** The detail's `op` of every failure but a refusal: the method in snake case. */
  readonly #op: string;
  readonly #asked: Promise<unknown>[] = [];

  constructor(
    op: string,
    identity: Identity,
    services: Services,
    context: CallContext,
    metadata: (name: string) => string | undefined = () => undefined,
  ) {
    this.#op = op;
    this.metadata = metadata;
    this.identity = identity;
    this.services = services;
    this.context = context;
    this.generation = services.generation();
    this.resolution = resolutionOf(this.generation.policy, identity);
  }

  /**
   * The entry of a key the caller may use so.
   *
   * @throws {@link BrokerError} `UNAUTHORIZED` alike for a key that does not exist and for one the caller may not use;
   *   `UNAUTHENTICATED` for a connection without credentials.
   */
  authorize(operation: Operation, key: string): KeyEntry {
    const { policy, catalog } = this.generation;
    const subject = this.#subject(operation, key);
    this.#enforce(operation, key, decide(policy, catalog, subject, operation, key), "not authorized");
    const entry = catalog.keys.get(key) as KeyEntry;
    this.backendKind = catalog.backends.get(entry.backend)?.kind;
    this.backendId = entry.backend;
    return entry;
  }

  /** @throws {@link BrokerError} `UNAUTHORIZED`, `UNAUTHENTICATED`. */
  authorizeAdmin(operation: AdminOperation): void {
    const target = adminTarget(operation);
    const message = `not authorized to ${operation}`;
    const subject = this.#subject(operation, target);
    this.#enforce(operation, target, decideAdmin(this.generation.policy, subject, operation), message);
  }

  /** The caller's subject, for methods that need one and nothing more. @throws as {@link authorize}. */
  requireSubject(operation: string): string {
    if (this.resolution.resolved) return this.resolution.subject;
    throw this.#unresolved(operation);
  }

  /** Whether any of the operations is allowed, without a trace in the audit log. */
  mayAny(operations: readonly Operation[], key: string): boolean {
    return this.#mayAny(this.generation, operations, key);
  }

  /** The same by what is served now, for a call that outlives a reload. */
  mayAnyNow(operations: readonly Operation[], key: string): boolean {
    return this.#mayAny(this.services.generation(), operations, key);
  }

  #mayAny({ policy, catalog }: Generation, operations: readonly Operation[], key: string): boolean {
    const resolution = resolutionOf(policy, this.identity);
    if (!resolution.resolved) return false;
    const { subject } = resolution;
    return operations.some((operation) => decide(policy, catalog, subject, operation, key).allowed);
  }

  /** For operations that only a local process may do. @throws {@link BrokerError} `UNAUTHENTICATED`. */
  requireUid(op = this.#op): number {
    if (this.identity.kind === "unix") return this.identity.uid;
    throw new BrokerError("UNAUTHENTICATED", "operation requires local peer credentials", { op });
  }

  /** Takes an allowance back that the policy cannot know to be wrong; the caller sees a refusal like any other. */
  refuse(op: Operation, target: string, reason: string): BrokerError {
    this.verdicts.pop();
    this.#decided({ op, target, allowed: false, reason });
    return new BrokerError("UNAUTHORIZED", "not authorized", { op });
  }

  fail(code: HandlerCode, message: string, cause?: unknown): BrokerError {
    return new BrokerError(code, message, { op: this.#op }, cause === undefined ? {} : { cause });
  }

  /** The answer to a backend's failure outside {@link ask}. */
  failedBackend(error: unknown): BrokerError {
    return backendAnswer(this.#op, error);
  }

  /** Notes which key made a new signature or ciphertext, and whether it still is the one found at start. */
  usedKey(entry: KeyEntry, used: Provenance & { readonly resource: string; readonly keyVersion: number }): void {
    const expectedResource = this.services.drift.used(entry, used.resource, used.keyVersion);
    this.provenance = { ...used, expectedResource };
  }

  /**
   * Has a backend do something, for as long as the caller waits. Its failures become what the caller may see.
   *
   * @param forget - Gets a result that comes when nobody waits for it any more.
   */
  async ask<T>(work: (context: CallContext) => Promise<T>, forget?: (late: T) => void): Promise<T> {
    const { signal } = this.context;
    const working = begin(work, this.context);
    this.#asked.push(working);
    try {
      return await abortable(working, signal);
    } catch (error) {
      if (forget !== undefined) void working.then(forget, () => undefined);
      if (signal.aborted && signal.reason instanceof BrokerError) throw signal.reason;
      const answer = backendAnswer(this.#op, error);
      if (BACKEND_FAILURES.has(answer.code)) this.services.probes.operationFailed();
      throw answer;
    }
  }

  /** Settles as what backends were asked for does, whether or not the caller still waits for it. */
  async whenBackendsAreDone(): Promise<void> {
    await Promise.all(this.#asked);
  }

  #subject(operation: Operation, target: string): string {
    const { resolution } = this;
    this.services.requireAudit(operation);
    if (resolution.resolved) return resolution.subject;
    this.#decided({ op: operation, target, allowed: false, reason: resolution.reason });
    throw this.#unresolved(operation);
  }

  #unresolved(op: string): BrokerError {
    const nobody = !this.resolution.resolved && this.resolution.code === "missing_credentials";
    return nobody
      ? new BrokerError("UNAUTHENTICATED", "missing peer credentials", { op })
      : new BrokerError("UNAUTHORIZED", "not authorized", { op });
  }

  #decided(verdict: Verdict): void {
    this.verdicts.push({ ...verdict, target: recordedName(verdict.target) });
  }

  #enforce(op: Operation, target: string, decision: Decision, message: string): void {
    const reason = decision.allowed ? decision.via : decision.reason;
    this.#decided({ op, target, allowed: decision.allowed, reason });
    if (!decision.allowed) throw new BrokerError("UNAUTHORIZED", message, { op });
  }
}

/** A backend that throws where it should reject is no different from one that rejects. */
async function begin<T>(work: (context: CallContext) => Promise<T>, context: CallContext): Promise<T> {
  return work(context);
}
