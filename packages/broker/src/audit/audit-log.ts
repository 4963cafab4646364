import { BrokerError } from "../errors.js";
import type { Logger } from "../logger.js";
import { RETRY_AFTER_MS } from "../request/backend-answers.js";
import type { Call } from "../request/call.js";
import type { AuditRecord, AuditSink } from "./audit-sink.js";
import { authzRecord, seconds } from "./authz-record.js";
import { DenialGroups } from "./denial-groups.js";
import { recordedName } from "./recorded-name.js";
import { WriteLimit } from "./write-limit.js";

/** `refuse`: no answer without its record. `serve`: answer, and tell the operator. */
export type AuditFailureMode = "refuse" | "serve";

export interface ReloadFacts {
  readonly actor: { readonly kind: string; readonly id: string };
  readonly previous_generation: number;
  readonly generation: number;
  readonly outcome: string;
  readonly reason: string;
}

export interface RequestFacts {
  readonly result: string;
  readonly latencyUs: number;
  readonly requestId: string;
}

/** Writes what requests came to, and decides what a log that cannot be written means. */
export class AuditLog {
  readonly #sink: AuditSink | undefined;
  readonly #onFailure: AuditFailureMode;
  readonly #logger: Logger;
  readonly #denials: DenialGroups;
  readonly #limit = new WriteLimit(WRITE_TIMEOUT_MS);

  constructor(sink: AuditSink | undefined, onFailure: AuditFailureMode, logger: Logger) {
    this.#sink = sink;
    this.#onFailure = onFailure;
    this.#logger = logger;
    this.#denials = new DenialGroups({ write: (record) => this.#group(record) });
  }

  /** Before any backend is called. @throws {@link BrokerError} `BACKEND_UNAVAILABLE` when no record could be written. */
  requireHealthy(op: string): void {
    if (this.#sink === undefined || this.#sink.healthy || this.#onFailure === "serve") return;
    throw noRecord(op, new Error("the audit log cannot be written"));
  }

  /** Settles once the record is with the kernel, or its loss is in the operator's log: what was swapped is not taken back. */
  async reload(facts: ReloadFacts): Promise<void> {
    try {
      if (this.#sink !== undefined) await this.#limit.wait(this.#sink.write(reloadRecord(facts)));
    } catch (error) {
      this.#logger.error({ error: String(error) }, "an audit record was not written");
    }
  }

  /** Writes the groups of denials that have no record yet. The sink is not closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#denials.flush().catch(() => undefined);
    this.#denials.close();
  }

  /**
   * One record for each decision of the request; denials of a uid above a rate are recorded in groups later. Settles once
   * the records are with the kernel.
   */
  async requests(call: Call, facts: RequestFacts): Promise<void> {
    const at = new Date();
    const { identity, resolution, generation } = call;
    const uid = identity.kind === "unix" ? identity.uid : undefined;
    const verdicts = call.verdicts.filter(
      ({ allowed, op, target, reason }) =>
        allowed || this.#denials.admit({ uid, op, target, reason: recordedName(reason) }),
    );
    for (const { allowed, op, target, reason } of verdicts) {
      if (!allowed) this.#logger.warn({ op, target, reason, request_id: facts.requestId }, "denied");
    }
    if (this.#sink === undefined) return;
    const shared = { identity, resolution, policy: generation.policy, generation: generation.id, at };
    const { provenance } = call;
    const writes = verdicts.map((verdict) =>
      this.#sink?.write(authzRecord({ ...shared, ...verdict, ...facts, ...(verdict.provenance ?? provenance) })),
    );
    try {
      await this.#limit.wait(Promise.all(writes));
    } catch (error) {
      this.#logger.error({ request_id: facts.requestId, error: String(error) }, "an audit record was not written");
      if (this.#onFailure === "refuse") throw noRecord(call.verdicts.at(-1)?.op ?? "unknown", error);
    }
  }

  async #group(record: AuditRecord): Promise<void> {
    const { op, reason, count, presenter_uid: uid } = record;
    try {
      if (this.#sink !== undefined) await this.#limit.wait(this.#sink.write(record));
      this.#logger.warn({ op, reason, count, uid }, "denied: recorded in a group");
    } catch (error) {
      this.#logger.error({ op, count, uid, error: String(error) }, "an audit record was not written");
      throw error;
    }
  }
}

/** A disk that does not answer must not hold every caller for ever. */
const WRITE_TIMEOUT_MS = 10_000;

/** `basil.audit.reload`, version 1. */
function reloadRecord(facts: ReloadFacts): AuditRecord {
  return { event: { kind: "basil.audit.reload", version: 1 }, occurred_at: seconds(new Date()), ...facts };
}

function noRecord(op: string, cause: unknown): BrokerError<"BACKEND_UNAVAILABLE"> {
  return new BrokerError(
    "BACKEND_UNAVAILABLE",
    "the request could not be recorded",
    { op, retryAfterMs: RETRY_AFTER_MS },
    { cause },
  );
}
