import { readFileSync } from "node:fs";
import type { Catalog } from "@basil/catalog";
import type { Backend, CapabilityMode, CapabilityReport, ReconcileProgress, ReconcileReport } from "@basil/core";
import type { Identity, Policy } from "@basil/policy";
import { type AuditFailureMode, AuditLog } from "./audit/audit-log.js";
import type { AuditSink } from "./audit/audit-sink.js";
import { Caller } from "./caller.js";
import { Listener, type ListenOptions } from "./connections/listener.js";
import { containBackend, disposeGivenUp } from "./containment/contain-backend.js";
import { EmbeddedTransport } from "./embedded-transport.js";
import { BrokerError } from "./errors.js";
import { EventHub } from "./events/event-hub.js";
import { grpcProtocol } from "./grpc/grpc-protocol.js";
import { HealthWatches } from "./health/health-watches.js";
import { readinessOf } from "./health/readiness.js";
import { KeyDrift } from "./key-drift.js";
import { KeyProbes } from "./key-probes.js";
import { type Limits, withDefaultLimits } from "./limits.js";
import { type Logger, SILENT } from "./logger.js";
import { BrokerMetrics } from "./metrics/broker-metrics.js";
import { type MetricsOptions, type MetricsServer, serveMetrics } from "./metrics/metrics-server.js";
import type { DocumentSource } from "./reload/document-source.js";
import { type ReloadEvent, Reloader, type ReloadOptions, type ReloadResult } from "./reload/reloader.js";
import { Dispatcher } from "./request/dispatcher.js";
import { Serial } from "./request/serial.js";
import type { Services } from "./request/services.js";
import { SignatureCheck, VERIFY_SIGNATURES, type VerifySignatures } from "./signature-check.js";
import { startUp } from "./start-up.js";

export interface BrokerOptions {
  readonly catalog: Catalog;
  readonly policy: Policy;
  /** One for each backend of the catalog, told by `id`. The broker owns them from here on, also when it does not start. */
  readonly backends: readonly Backend[];
  /** What a demand that a backend does not meet means. Default: `strict`. */
  readonly capabilityMode?: CapabilityMode;
  /** Whether every key is looked for, and made where the catalog says so, before the broker starts. Default: true. */
  readonly reconcile?: boolean;
  /** Told of each key as reconcile goes. */
  readonly onReconcile?: (progress: ReconcileProgress) => void;
  /** Where every decision is written. The broker owns it. Default: nowhere. */
  readonly audit?: AuditSink;
  /** What a record that cannot be written means. Default: `refuse`. */
  readonly auditFailure?: AuditFailureMode;
  /** Where {@link Broker.reload} reads from. Default: nowhere, and a reload is rejected. */
  readonly documents?: DocumentSource;
  /** Told of each reload as it goes, a caller's as well as the program's own. */
  readonly onReload?: (event: ReloadEvent) => void;
  /**
   * Which signatures are verified, with node:crypto and the public key the backend gives, before they are answered.
   * Default: `first`, the first of each key version.
   */
  readonly verifySignatures?: VerifySignatures;
  readonly logger?: Logger;
  readonly limits?: Partial<Limits>;
  /** What Status and Health say. Default: the version of this package. */
  readonly version?: string;
  /** Gives starting up. */
  readonly signal?: AbortSignal;
}

/** What was found when the broker started. */
export interface StartReport {
  readonly capabilities: CapabilityReport;
  /** Absent when `reconcile` was false. */
  readonly reconcile?: ReconcileReport;
}

const DRAIN_MS = 10_000;

/**
 * Checks that the backends can do what the catalog demands, brings the keys to what it says, and is then ready to serve.
 * Nothing listens before {@link Broker.listen}.
 *
 * @throws {@link BrokerError} `BACKEND_CONTRACT`, `BACKEND_MISMATCH`, `CAPABILITY_GAPS`, `RECONCILE_FAILED` with the report.
 * @throws TypeError for wrong options.
 */
export async function createBroker(options: BrokerOptions): Promise<Broker> {
  const { logger = SILENT, verifySignatures = "first" } = options;
  const owned = options.audit ? [options.audit] : [];
  try {
    if (!VERIFY_SIGNATURES.includes(verifySignatures)) {
      throw new TypeError(
        `verifySignatures must be ${VERIFY_SIGNATURES.join(", ")}, found ${String(verifySignatures)}`,
      );
    }
    const limits = withDefaultLimits(options.limits);
    const backends = options.backends.map((backend) => containBackend(backend, logger));
    const contained = { ...options, backends };
    const report = await startUp(contained);
    return new Broker(contained, limits, report);
  } catch (error) {
    await Promise.allSettled([
      ...options.backends.map((backend) => disposeGivenUp(backend, logger)),
      ...owned.map((resource) => resource[Symbol.asyncDispose]()),
    ]);
    throw error;
  }
}

/** A broker that has started. Many can live in one process. */
export class Broker implements AsyncDisposable {
  readonly report: StartReport;
  readonly #backends: readonly Backend[];
  readonly #audit: AuditSink | undefined;
  readonly #auditLog: AuditLog;
  readonly #limits: Limits;
  readonly #logger: Logger;
  readonly #dispatcher: Dispatcher;
  readonly #listeners = new Set<Listener>();
  readonly #closed = new AbortController();
  readonly #events = new EventHub();
  readonly #watches: HealthWatches;
  readonly #reloader: Reloader;
  readonly #metrics: BrokerMetrics;
  readonly #metricsServers = new Set<MetricsServer>();
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(options: BrokerOptions, limits: Limits, report: StartReport) {
    const { backends, audit, logger = SILENT, version = packageVersion(), auditFailure = "refuse" } = options;
    const byId = new Map(backends.map((backend) => [backend.id, backend]));
    const auditLog = new AuditLog(audit, auditFailure, logger);
    this.#metrics = new BrokerMetrics({
      generation: () => this.generation,
      connections: () => [...this.#listeners].reduce((sum, { connections }) => sum + connections, 0),
      inFlight: () => this.#dispatcher.load.inFlight,
      waiting: () => this.#dispatcher.load.waiting,
      keyProbeAge: () => probes.ageSeconds,
      auditHealthy: () => audit?.healthy ?? true,
      breakers: () => backends.flatMap(({ id, breaker }) => (breaker ? [[id, breaker.open] as const] : [])),
    });
    const probes = new KeyProbes({
      backends: byId,
      closed: this.#closed.signal,
      intervalMs: limits.healthWatchIntervalMs,
      catalog: () => this.#reloader.current.catalog,
      onRound: () => this.#watches.changed(),
    });
    const services: Services = {
      backends: byId,
      limits,
      logger,
      version,
      probes,
      requireAudit: (op) => auditLog.requireHealthy(op),
      signatures: new SignatureCheck(options.verifySignatures ?? "first", { logger, metrics: this.#metrics }),
      drift: new KeyDrift(report.reconcile, {
        backends: byId,
        logger,
        metrics: this.#metrics,
        closed: this.#closed.signal,
      }),
      events: this.#events,
      metrics: this.#metrics,
      revocations: new Serial(),
      pairs: new Serial(),
      reload: (options) => this.#reloader.reload(options),
      generation: () => this.#reloader.current,
    };
    this.report = report;
    this.#backends = backends;
    this.#audit = audit;
    this.#auditLog = auditLog;
    this.#limits = limits;
    this.#logger = logger;
    this.#dispatcher = new Dispatcher(services, auditLog);
    this.#reloader = new Reloader(options, {
      source: options.documents,
      backends,
      capabilityMode: options.capabilityMode ?? "strict",
      audit: auditLog,
      logger,
      onReload: (event) => {
        if (event.state === "done") {
          probes.reloaded();
          this.#watches.changed();
        }
        options.onReload?.(event);
      },
    });
    this.#watches = new HealthWatches({
      ready: async () => (await readinessOf(this.#reloader.current, probes)).ready,
      limits,
    });
  }

  /** The number of the catalog and policy that are served. */
  get generation(): number {
    return this.#reloader.current.id;
  }

  /**
   * Reads the documents again and serves them from the next request on. What is refused is told in the result, and changes
   * nothing: which backends there are, and which key is where, needs a restart.
   */
  reload(options: ReloadOptions = {}): Promise<ReloadResult> {
    return this.#reloader.reload(options);
  }

  /** Opens the audit log at its path again, after it was moved away. @throws {@link BrokerError} `AUDIT_UNAVAILABLE`. */
  async reopenAudit(): Promise<void> {
    await this.#audit?.reopen?.();
  }

  /** The broker's methods for a caller in this process, whom the program vouches for. */
  as(identity: Identity): Caller {
    return new Caller(this.#dispatcher, identity);
  }

  /** The protocol's methods for a caller in this process, message by message: what a client of the protocol is put on. */
  transport(identity: Identity): EmbeddedTransport {
    return new EmbeddedTransport(this.#dispatcher, identity);
  }

  /**
   * Serves the protocol at a unix socket: one it makes, or one that a service manager handed over.
   *
   * @throws {@link BrokerError} `PLATFORM_UNSUPPORTED`, `SOCKET_IN_USE`, `SOCKET_PATH_OCCUPIED`, `SOCKET_PATH_INVALID`,
   *   `SOCKET_GROUP_UNKNOWN`, `SOCKET_FAILED`, `CLOSED`, also when the broker is closed meanwhile.
   */
  async listen(options: ListenOptions): Promise<Listener> {
    this.#requireOpen();
    const [limits, logger] = [this.#limits, this.#logger];
    const protocol = grpcProtocol({ dispatcher: this.#dispatcher, limits, logger, watches: this.#watches });
    const listener = await this.#keep(await Listener.open(options, { protocol, limits, logger }));
    this.#listeners.add(listener);
    return listener;
  }

  /** Prometheus text: requests by operation, code and backend, latencies, connections, generation. */
  metrics(): Promise<string> {
    return this.#metrics.text();
  }

  /**
   * Serves {@link metrics} over HTTP at a unix socket of its own, or at a port of the loopback interface.
   *
   * @throws {@link BrokerError} as {@link listen}.
   */
  async serveMetrics(options: MetricsOptions): Promise<MetricsServer> {
    this.#requireOpen();
    const server = await this.#keep(await serveMetrics(this.#metrics, options));
    this.#metricsServers.add(server);
    return server;
  }

  /**
   * Stops: takes nothing new, answers what is in flight, closes sockets, backends and audit log. What is not answered
   * after `graceMs` milliseconds, 10,000 by default, is dropped.
   */
  close(graceMs = DRAIN_MS): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new BrokerError("CLOSED", "the broker was disposed", {});
  }

  /** What was opened while the broker was being closed is closed as well: nobody else knows of it. */
  async #keep<Opened extends AsyncDisposable>(opened: Opened): Promise<Opened> {
    if (this.#closing !== undefined) await opened[Symbol.asyncDispose]();
    this.#requireOpen();
    return opened;
  }

  async #close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#dispatcher.abort(), graceMs);
    this.#events.close();
    this.#watches.close();
    await Promise.all([this.#dispatcher.drain(), ...[...this.#listeners].map((listener) => listener.drain(graceMs))]);
    clearTimeout(timer);
    await Promise.all([...this.#metricsServers].map((server) => server[Symbol.asyncDispose]()));
    this.#closed.abort(new BrokerError("CLOSED", "the broker was disposed", {}));
    await Promise.allSettled(this.#backends.map((backend) => backend[Symbol.asyncDispose]()));
    await this.#auditLog[Symbol.asyncDispose]();
    await this.#audit?.[Symbol.asyncDispose]();
    this.#logger.info({}, "stopped");
  }
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}
