import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What gauges read when they are scraped. */
export interface MetricSources {
  generation(): number;
  connections(): number;
  inFlight(): number;
  waiting(): number;
  auditHealthy(): boolean;
  /** Seconds. */
  keyProbeAge(): number;
  /** By the id of the backend, for those that have a breaker: how many things it holds back. */
  breakers(): Iterable<readonly [backend: string, open: number]>;
}

/** From half a millisecond, which is a cached answer, to ten seconds, which is a backend in trouble. */
const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A broker's own metrics, in a registry of its own: two brokers of one process do not mix. */
export class BrokerMetrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"op" | "code" | "backend">;
  readonly #seconds: Histogram<"op">;
  readonly #drift: Counter<"key">;
  readonly #signatureChecks: Counter<"key" | "backend" | "outcome">;

  constructor(sources: MetricSources) {
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: "basil_requests_total",
      help: "Requests by operation, by the code the caller saw (OK or a reason), and by the kind of the key's backend.",
      labelNames: ["op", "code", "backend"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "basil_request_duration_seconds",
      help: "Time from the decoded request to its answer.",
      labelNames: ["op"],
      buckets: BUCKETS_S,
      registers,
    });
    this.#drift = new Counter({
      name: "basil_key_drift_total",
      help: "Operations that were done by another backend key than the one found at start.",
      labelNames: ["key"],
      registers,
    });
    this.#signatureChecks = new Counter({
      name: "basil_signature_checks_total",
      help: "Signatures held against the key's public key before they were answered; a bad one is withheld.",
      labelNames: ["key", "backend", "outcome"],
      registers,
    });
    this.#gauge("basil_generation", "The number of the catalog and policy that are served.", sources.generation);
    this.#gauge("basil_connections", "Open connections.", sources.connections);
    this.#gauge("basil_requests_in_flight", "Requests at work.", sources.inFlight);
    this.#gauge("basil_requests_waiting", "Requests that wait for their turn.", sources.waiting);
    this.#gauge(
      "basil_key_probe_age_seconds",
      "Age of the key probes that readiness answers from.",
      sources.keyProbeAge,
    );
    this.#gauge("basil_audit_healthy", "1 while audit records can be written.", () => Number(sources.auditHealthy()));
    const breaker: Gauge<"backend"> = new Gauge({
      name: "basil_backend_breaker_open",
      help: "What a backend holds back because it kept failing, by the backend's id; 0 while its breaker is closed.",
      labelNames: ["backend"],
      registers,
      collect() {
        for (const [backend, open] of sources.breakers()) breaker.set({ backend }, open);
      },
    });
  }

  request(op: string, code: string, backend: string, seconds: number): void {
    this.#requests.inc({ op, code, backend });
    this.#seconds.observe({ op }, seconds);
  }

  drift(key: string): void {
    this.#drift.inc({ key });
  }

  signatureCheck(key: string, backend: string, outcome: "good" | "bad" | "unchecked"): void {
    this.#signatureChecks.inc({ key, backend, outcome });
  }

  /** Prometheus text exposition format 0.0.4. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [this.#registry], collect: () => gauge.set(read()) });
  }
}
