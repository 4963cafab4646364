import { BrokerError } from "../errors.js";
import type { Logger } from "../logger.js";
import { RETRY_AFTER_MS } from "../request/backend-answers.js";
import type { Call } from "../request/call.js";
import type { AuditRecord, AuditSink } from "./audit-sink.js";
import { authzRecord, seconds } from "./authz-record.js";

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

  constructor(sink: AuditSink | undefined, onFailure: AuditFailureMode, logger: Logger) {
    this.#sink = sink;
    this.#onFailure = onFailure;
    this.#logger = logger;
  }

  /** Before any backend is called. @throws {@link BrokerError} `BACKEND_UNAVAILABLE` when no record could be written. */
  requireHealthy(op: string): void {
    if (this.#sink === undefined || this.#sink.healthy || this.#onFailure === "serve") return;
    throw noRecord(op, new Error("the audit log cannot be written"));
  }

  /** Settles once the record is with the kernel, or its loss is in the operator's log: what was swapped is not taken back. */
  async reload(facts: ReloadFacts): Promise<void> {
    try {
      if (this.#sink !== undefined) await within(WRITE_TIMEOUT_MS, this.#sink.write(reloadRecord(facts)));
    } catch (error) {
      this.#logger.error({ error: String(error) }, "an audit record was not written");
    }
  }

  /** One record for each decision of the request. Settles once they are with the kernel. */
  async requests(call: Call, facts: RequestFacts): Promise<void> {
    const at = new Date();
    const { identity, resolution, generation } = call;
    for (const { allowed, op, target, reason } of call.verdicts) {
      if (!allowed) this.#logger.warn({ op, target, reason, request_id: facts.requestId }, "denied");
    }
    if (this.#sink === undefined) return;
    const shared = { identity, resolution, policy: generation.policy, generation: generation.id, at };
    const { provenance } = call;
    const writes = call.verdicts.map((verdict) =>
      this.#sink?.write(authzRecord({ ...shared, ...verdict, ...facts, ...(verdict.provenance ?? provenance) })),
    );
    try {
      await within(WRITE_TIMEOUT_MS, Promise.all(writes));
    } catch (error) {
      this.#logger.error({ request_id: facts.requestId, error: String(error) }, "an audit record was not written");
      if (this.#onFailure === "refuse") throw noRecord(call.verdicts.at(-1)?.op ?? "unknown", error);
    }
  }
}

/** A disk that does not answer must not hold every caller for ever. */
const WRITE_TIMEOUT_MS = 10_000;

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the audit log took no record within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

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
