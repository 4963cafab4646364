import { randomUUID } from "node:crypto";
import { isBackendError } from "@basil/core";
import type { Identity } from "@basil/policy";
import type { Message } from "@bufbuild/protobuf";
import type { Span } from "@opentelemetry/api";
import type { AuditLog } from "../audit/audit-log.js";
import { type AnyRequestError, BrokerError, isBrokerError } from "../errors.js";
import { Admission } from "./admission.js";
import { unavailable } from "./backend-answers.js";
import { Call } from "./call.js";
import { CallClock, type CallOptions } from "./call-clock.js";
import type { Stream } from "./handler.js";
import { publishRequest } from "./request-channel.js";
import { endRequestSpan, startRequestSpan } from "./request-span.js";
import type { Rpc } from "./rpcs.js";
import { zeroSecrets } from "./secret-bytes.js";
import type { Services } from "./services.js";
import { isRequestError } from "./status-codes.js";

/** What operators and probes ask waits for nobody; none of it calls a backend for itself. */
const ALWAYS_ANSWERED: ReadonlySet<string> = new Set(["health", "readiness", "status"]);

/** What came of one request: its answer or its failure, and the name it has in the audit log. */
export type Outcome<Answer> = { readonly requestId: string } & (
  | { readonly answer: Answer }
  | { readonly error: AnyRequestError }
);

/**
 * The way of a request: handler, then audit record, then answer. Nothing is answered whose record was not written, unless
 * the broker is told to serve without.
 */
export class Dispatcher {
  readonly #services: Services;
  readonly #audit: AuditLog;
  readonly #admission: Admission;
  #closing = false;
  #onIdle: (() => void) | undefined;
  /** Of the requests in flight. */
  readonly #clocks = new Set<CallClock>();

  constructor(services: Services, audit: AuditLog) {
    this.#admission = new Admission(services.limits);
    this.#services = services;
    this.#audit = audit;
  }

  async unary(rpc: Rpc & { kind: "unary" }, request: Message, identity: Identity, options: CallOptions) {
    return this.#run<Message>(rpc, identity, options, (call) => rpc.handler(request, call));
  }

  /** The stream begins once its record is written. */
  async stream(rpc: Rpc & { kind: "stream" }, request: Message, identity: Identity, options: CallOptions) {
    return this.#run<Stream<Message>>(rpc, identity, options, (call) => rpc.handler(request, call));
  }

  /** Refuses new requests, and settles once those in flight are answered. */
  async drain(): Promise<void> {
    this.#closing = true;
    if (this.#clocks.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
  }

  /** Requests at work, and requests that wait for their turn. */
  get load(): { readonly inFlight: number; readonly waiting: number } {
    return { inFlight: this.#clocks.size - this.#admission.waiting, waiting: this.#admission.waiting };
  }

  /** Gives up what {@link drain} still waits for. */
  abort(): void {
    for (const clock of this.#clocks) clock.cancel("the broker stopped");
  }

  async #run<Answer extends object>(
    { op }: Rpc,
    identity: Identity,
    options: CallOptions,
    handle: (call: Call) => Promise<Answer>,
  ): Promise<Outcome<Answer>> {
    const requestId = randomUUID();
    const { deadline, released } = options;
    if (this.#closing) {
      released?.();
      return { requestId, error: unavailable(op, new Error("the broker is stopping")) };
    }
    const startedAt = process.hrtime.bigint();
    using clock = new CallClock(op, options, this.#services.limits.backendTimeoutMs);
    const { signal } = clock;
    const context = { signal, requestId, ...(deadline === undefined ? {} : { deadline }) };
    const call = new Call(op, identity, this.#services, context, options.metadata);
    const span = startRequestSpan(op, requestId);
    let leave: (() => void) | undefined;
    // Last before what removes it: a broker that closes waits until none is in flight.
    this.#clocks.add(clock);
    try {
      const turn = ALWAYS_ANSWERED.has(op) ? undefined : this.#admission.enter(callerName(call), op, signal);
      leave = turn instanceof Promise ? await turn : turn;
      const outcome = await this.#settle(op, call, requestId, handle);
      await this.#record(call, outcome, startedAt).catch((error: unknown) => {
        // Withheld: nobody else gets to see it.
        if ("answer" in outcome) zeroSecrets(outcome.answer);
        throw error;
      });
      return this.#tell(op, call, outcome, startedAt, span);
    } catch (error) {
      return this.#tell(op, call, { requestId, error: this.#asRequestError(op, call, error) }, startedAt, span);
    } finally {
      if (released !== undefined) void call.whenBackendsAreDone().then(released, () => undefined);
      leave?.();
      this.#clocks.delete(clock);
      if (this.#clocks.size === 0) this.#onIdle?.();
    }
  }

  async #settle<Answer>(
    op: string,
    call: Call,
    requestId: string,
    handle: (call: Call) => Promise<Answer>,
  ): Promise<Outcome<Answer>> {
    try {
      const { signal } = call.context;
      if (signal.aborted) throw signal.reason;
      return { requestId, answer: await handle(call) };
    } catch (error) {
      return { requestId, error: this.#asRequestError(op, call, error) };
    }
  }

  #tell<Answer>(op: string, call: Call, outcome: Outcome<Answer>, startedAt: bigint, span: Span): Outcome<Answer> {
    const latencyUs = microsecondsSince(startedAt);
    const code = "error" in outcome ? outcome.error.code : "OK";
    this.#services.metrics.request(op, code, call.backendKind ?? "none", latencyUs / 1e6);
    endRequestSpan(span, { code, target: call.verdicts.at(-1)?.target, backend: call.backendKind });
    publishRequest(() => {
      const { requestId } = outcome;
      const subject = call.resolution.resolved ? call.resolution.subject : undefined;
      return { requestId, op, code, target: call.verdicts.at(-1)?.target, subject, latencyUs };
    });
    return outcome;
  }

  async #record(call: Call, outcome: Outcome<unknown>, startedAt: bigint): Promise<void> {
    if (call.verdicts.length === 0) return;
    const latencyUs = microsecondsSince(startedAt);
    const result = "error" in outcome ? outcome.error.code : "ok";
    await this.#audit.requests(call, { result, latencyUs, requestId: outcome.requestId });
  }

  #asRequestError(op: string, call: Call, error: unknown): AnyRequestError {
    const { logger } = this.#services;
    const { backendId: backend } = call;
    const target = call.verdicts.at(-1)?.target;
    const fields = { request_id: call.context.requestId, op, target, ...(backend !== undefined && { backend }) };
    if (isBrokerError(error) && isRequestError(error)) {
      // That a caller goes away is its affair, and may happen a thousand times a second.
      if (error.cause !== undefined && error.code !== "CANCELLED")
        logger.warn({ ...fields, code: error.code, ...causeFields(error.cause) }, error.message);
      return error;
    }
    logger.error({ ...fields, ...causeFields(error) }, "a request failed inside the broker");
    return new BrokerError("INTERNAL", "internal error", { op }, { cause: error }) as AnyRequestError;
  }
}

function microsecondsSince(startedAt: bigint): number {
  return Number((process.hrtime.bigint() - startedAt) / 1000n);
}

function callerName({ resolution, identity }: Call): string {
  if (resolution.resolved) return `subject:${resolution.subject}`;
  return identity.kind === "unix" ? `uid:${identity.uid}` : "nobody";
}

/** For the operator: what the backend said, down to the first cause. */
function causeFields(cause: unknown): Record<string, unknown> {
  if (!(cause instanceof Error)) return { cause: String(cause) };
  const backend = isBackendError(cause)
    ? { backend_code: cause.code, backend_details: cause.details, backend_request_id: cause.backendRequestId }
    : {};
  const below = cause.cause instanceof Error ? { cause: String(cause.cause) } : {};
  return { error: cause.message, ...backend, ...below };
}
