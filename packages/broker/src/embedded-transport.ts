import type { Identity } from "@basil/policy";
import type { GrpcMethod } from "@basil/proto";
import type { Message } from "@bufbuild/protobuf";
import { type AnyRequestError, BrokerError } from "./errors.js";
import { LONGEST_TIMER_MS } from "./limits.js";
import type { CallerPresence } from "./request/call-clock.js";
import type { Dispatcher } from "./request/dispatcher.js";
import { type Rpc, rpcs } from "./request/rpcs.js";

export interface CallOptions {
  /** Gives the call up. */
  readonly signal?: AbortSignal;
  /** Milliseconds until `DEADLINE_EXCEEDED`, at most 2,147,483,647. Default: the time a backend gets. */
  readonly timeoutMs?: number;
  /** By its name in lower case. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const RPCS = rpcs();

/**
 * The protocol's methods in process, for one identity: messages in, messages out, no socket and no encoding. Failures are
 * {@link BrokerError}s whose code is a request's.
 */
export class EmbeddedTransport implements AsyncDisposable {
  readonly #dispatcher: Dispatcher;
  readonly #identity: Identity;
  readonly #calls = new Set<EmbeddedCall>();
  #closed = false;

  /** @internal */
  constructor(dispatcher: Dispatcher, identity: Identity) {
    this.#dispatcher = dispatcher;
    this.#identity = identity;
  }

  async unary<Request, Response>(
    { path }: GrpcMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    const rpc = find(path, "unary");
    using caller = this.#begin(options);
    const outcome = await this.#dispatcher.unary(rpc, request as Message, this.#identity, caller);
    if ("error" in outcome) throw named(outcome.error, outcome.requestId);
    return outcome.answer as Response;
  }

  async *serverStream<Request, Response>(
    { path }: GrpcMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): AsyncGenerator<Response, void, undefined> {
    const rpc = find(path, "stream");
    using caller = this.#begin(options);
    const outcome = await this.#dispatcher.stream(rpc, request as Message, this.#identity, caller);
    if ("error" in outcome) throw named(outcome.error, outcome.requestId);
    const { answer } = outcome;
    const end = () => ("end" in answer ? answer.end() : undefined);
    let late = false;
    const deadlinePassed = () => {
      late = true;
      end();
    };
    const { deadline } = caller;
    const timer = deadline === undefined ? undefined : setTimeout(deadlinePassed, deadline - Date.now());
    caller.onCancel = end;
    if (caller.cancelled) end();
    try {
      for await (const message of answer) yield message as Response;
      if (caller.cancelled) throw new BrokerError("CANCELLED", "cancelled", { op: rpc.op });
      if (late && "end" in answer) throw new BrokerError("DEADLINE_EXCEEDED", "deadline exceeded", { op: rpc.op });
    } finally {
      clearTimeout(timer);
      end();
    }
  }

  /** Ends what is under way; the broker lives on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const call of this.#calls) call.cancel();
  }

  #begin({ signal, timeoutMs, metadata }: CallOptions): EmbeddedCall {
    if (timeoutMs !== undefined && !(timeoutMs > 0)) {
      throw new TypeError(`timeoutMs must be a positive number of milliseconds, not ${String(timeoutMs)}`);
    }
    const endless = timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY;
    const deadline = endless ? undefined : Date.now() + Math.min(timeoutMs, LONGEST_TIMER_MS);
    const call = new EmbeddedCall(signal, deadline, this.#calls);
    if (metadata !== undefined) call.metadata = (name) => metadata[name];
    if (this.#closed) call.cancel();
    return call;
  }
}

/** A call in this process: its program goes away by its signal, or by closing the transport. */
class EmbeddedCall implements CallerPresence, Disposable {
  cancelled = false;
  metadata: ((name: string) => string | undefined) | undefined;
  onCancel: (() => void) | undefined;
  readonly deadline: number | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #calls: Set<EmbeddedCall>;

  constructor(signal: AbortSignal | undefined, deadline: number | undefined, calls: Set<EmbeddedCall>) {
    this.deadline = deadline;
    this.#signal = signal;
    this.#calls = calls;
    calls.add(this);
    signal?.addEventListener("abort", this.cancel, { once: true });
    if (signal?.aborted) this.cancel();
  }

  /** For the dispatcher. */
  get caller(): CallerPresence {
    return this;
  }

  readonly cancel = (): void => {
    if (this.cancelled) return;
    this.cancelled = true;
    this.onCancel?.();
  };

  [Symbol.dispose](): void {
    this.#calls.delete(this);
    this.#signal?.removeEventListener("abort", this.cancel);
  }
}

/** The error of a request that can be looked up; of a refusal, as on the wire, its caller learns no more. */
function named({ code, message, details, cause }: AnyRequestError, requestId: string): BrokerError {
  const refused = code === "UNAUTHORIZED" || code === "UNAUTHENTICATED";
  return new BrokerError(code, message, details, {
    ...(cause !== undefined && { cause }),
    ...(!refused && { requestId }),
  });
}

function find<Kind extends Rpc["kind"]>(path: string, kind: Kind): Rpc & { kind: Kind } {
  const rpc = RPCS.get(path);
  if (rpc?.kind === kind) return rpc as Rpc & { kind: Kind };
  throw new BrokerError("UNSUPPORTED", `no method at ${path}`, { op: "unknown" });
}
