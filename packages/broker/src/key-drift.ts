import type { KeyEntry } from "@basil/catalog";
import type { Backend, CallContext, KeyProbe, ReconcileReport } from "@basil/core";
import { probeKey } from "@basil/core";
import type { Logger } from "./logger.js";
import type { BrokerMetrics } from "./metrics/broker-metrics.js";

interface Known {
  readonly resource: string;
  readonly latestVersion: number;
}

export interface KeyDriftParts {
  readonly backends: ReadonlyMap<string, Backend>;
  readonly logger: Logger;
  readonly metrics: BrokerMetrics;
  readonly closed: AbortSignal;
}

/**
 * Watches whether a key of the catalog still is the backend key that was found at start. Another one is served, for that
 * is how keys are rotated by hand; but unless the backend has it as a later version, somebody moved a name, and the
 * operator is told.
 */
export class KeyDrift {
  readonly #parts: KeyDriftParts;
  readonly #known = new Map<string, Known>();
  /** `KEY RESOURCE` of what was told or is being looked into. */
  readonly #told = new Set<string>();

  constructor(report: ReconcileReport | undefined, parts: KeyDriftParts) {
    this.#parts = parts;
    for (const key of report?.keys ?? []) {
      if (key.outcome === "present" || key.outcome === "generated") this.#known.set(key.key, key);
    }
  }

  /**
   * To be told of every new signature and encryption.
   *
   * @returns the resource that was found at start, when this is another one.
   */
  used(entry: KeyEntry, resource: string, keyVersion: number): string | undefined {
    const known = this.#known.get(entry.name);
    if (known === undefined) {
      this.#known.set(entry.name, { resource, latestVersion: keyVersion });
      return undefined;
    }
    if (known.resource === resource) return undefined;
    this.#parts.metrics.drift(entry.name);
    const telling = `${entry.name} ${resource}`;
    if (!this.#told.has(telling)) {
      this.#told.add(telling);
      void this.#lookInto(entry, known, resource);
    }
    return known.resource;
  }

  async #lookInto(entry: KeyEntry, known: Known, resource: string): Promise<void> {
    const { logger } = this.#parts;
    const probe = await this.#probe(entry).catch((error: unknown) => {
      logger.warn({ key: entry.name, error: String(error) }, "a key that changed could not be looked into");
      return undefined;
    });
    if (probe?.state === "present" && probe.resource === resource && probe.latestVersion > known.latestVersion) {
      this.#known.set(entry.name, { resource, latestVersion: probe.latestVersion });
      logger.info({ key: entry.name, version: probe.latestVersion, resource }, "a key has a new version");
      return;
    }
    const fields = { key: entry.name, expected: known.resource, found: resource };
    logger.error(fields, "a key is another one than at start, and no later version: was its alias moved?");
  }

  async #probe(entry: KeyEntry): Promise<KeyProbe> {
    const backend = this.#parts.backends.get(entry.backend);
    if (backend === undefined) throw new Error(`backend ${entry.backend} is not open`);
    const context: CallContext = { signal: this.#parts.closed, requestId: `drift:${entry.name}` };
    return probeKey(entry, backend, context);
  }
}
