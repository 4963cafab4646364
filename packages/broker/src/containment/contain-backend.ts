import {
  type Backend,
  type BackendHealth,
  type BreakerState,
  type CallContext,
  type Capabilities,
  type KeyProbe,
  type KeyRef,
  within,
} from "@basil/core";
import { BrokerError } from "../errors.js";
import type { Logger } from "../logger.js";
import { backendProblems } from "./backend-problems.js";
import { containedCall } from "./contained-call.js";
import { containedKv2, containedPki, containedTransit, probeOf } from "./contained-engines.js";

/** How long a backend may take to let go of what it holds. */
const DISPOSE_MS = 5000;
const MAX_HEALTH_DETAIL = 4096;

/**
 * A backend whose answers are held to the contract: what it claims is read once and kept, what it answers is checked and
 * copied, and however it fails, it fails with a `BackendError` that names it. What blocks the event loop is not contained.
 *
 * @throws {@link BrokerError} `BACKEND_CONTRACT` for claims and members that are none.
 */
export function containBackend(backend: Backend, logger: Logger): Backend {
  if (backend instanceof ContainedBackend) return backend;
  const problems = backendProblems(backend);
  if (problems.length > 0) throw contractBroken(nameOf(backend, "id"), nameOf(backend, "kind"), problems);
  return new ContainedBackend(backend, logger);
}

/** What a backend calls itself, for messages, whatever else it does when it is asked. */
function nameOf(backend: Backend, member: "id" | "kind"): string {
  try {
    return String(backend?.[member]);
  } catch {
    return "unknown";
  }
}

export function contractBroken(id: string, kind: string, problems: readonly string[]): BrokerError<"BACKEND_CONTRACT"> {
  return new BrokerError(
    "BACKEND_CONTRACT",
    `backend "${id}" of kind "${kind}" breaks the contract of backends: ${problems.join("; ")}`,
    { backend: id, kind, problems },
  );
}

class ContainedBackend implements Backend {
  readonly id: string;
  readonly kind: string;
  readonly capabilities: Capabilities;
  declare readonly transit?: NonNullable<Backend["transit"]>;
  declare readonly kv2?: NonNullable<Backend["kv2"]>;
  declare readonly pki?: NonNullable<Backend["pki"]>;
  declare readonly breaker?: BreakerState;
  readonly #backend: Backend;
  readonly #logger: Logger;

  constructor(backend: Backend, logger: Logger) {
    this.id = backend.id;
    this.kind = backend.kind;
    this.capabilities = structuredClone(backend.capabilities);
    if (backend.transit !== undefined) this.transit = containedTransit(backend);
    if (backend.kv2 !== undefined) this.kv2 = containedKv2(backend);
    if (backend.pki !== undefined) this.pki = containedPki(backend);
    if (backend.breaker !== undefined) this.breaker = containedBreaker(backend);
    this.#backend = backend;
    this.#logger = logger;
  }

  probe(key: KeyRef, context: CallContext): Promise<KeyProbe> {
    const ref = Object.freeze({ ...key });
    return containedCall(this, "probe", key.name, context, (it) => this.#backend.probe(ref, it), probeOf);
  }

  health(context: CallContext): Promise<BackendHealth> {
    return containedCall(
      this,
      "health",
      "it",
      context,
      (it) => this.#backend.health(it),
      (answer) => {
        const detail = answer.raw("detail");
        return {
          healthy: answer.flag("healthy"),
          ...(typeof detail === "string" && { detail: detail.slice(0, MAX_HEALTH_DETAIL) }),
        };
      },
    );
  }

  /** Never rejects, and settles after five seconds at the latest. */
  async [Symbol.asyncDispose](): Promise<void> {
    await disposeWithin(this.#backend, this.id, this.#logger);
  }
}

/** 0 for what is no count. */
function containedBreaker(backend: Backend): BreakerState {
  return {
    get open() {
      try {
        const open = backend.breaker?.open;
        return open !== undefined && Number.isSafeInteger(open) && open >= 0 ? open : 0;
      } catch {
        return 0;
      }
    },
  };
}

/** Disposes of a backend that was given up, whatever it is. Never rejects. */
export function disposeGivenUp(backend: Backend, logger: Logger): Promise<void> {
  return disposeWithin(backend, nameOf(backend, "id"), logger);
}

/** Disposes of a backend, for as long as it may take; what it does wrong is logged. */
export async function disposeWithin(backend: AsyncDisposable, id: string, logger: Logger): Promise<void> {
  const late = () => new Error(`not done in ${DISPOSE_MS} ms`);
  try {
    await within(DISPOSE_MS, undefined, () => backend[Symbol.asyncDispose](), { late });
  } catch (error) {
    logger.warn({ backend: id, error: messageOf(error) }, "a backend could not be closed");
  }
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : typeof error;
  } catch {
    return "a value that cannot be read";
  }
}
