import type { Backend } from "@basil/core";
import type { EventHub } from "../events/event-hub.js";
import type { Generation } from "../generation.js";
import type { KeyDrift } from "../key-drift.js";
import type { KeyProbes } from "../key-probes.js";
import type { Limits } from "../limits.js";
import type { Logger } from "../logger.js";
import type { BrokerMetrics } from "../metrics/broker-metrics.js";
import type { ReloadOptions, ReloadResult } from "../reload/reloader.js";
import type { SignatureCheck } from "../signature-check.js";
import type { Serial } from "./serial.js";

/** What handlers share. */
export interface Services {
  /** By the catalog's name. */
  readonly backends: ReadonlyMap<string, Backend>;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly probes: KeyProbes;
  readonly version: string;
  /** Before a backend is called for anything that is audited. @throws {@link BrokerError} when no record could be written. */
  requireAudit(op: string): void;
  readonly drift: KeyDrift;
  readonly signatures: SignatureCheck;
  readonly events: EventHub;
  readonly metrics: BrokerMetrics;
  /** The revocation store is read, merged and written by one at a time. */
  readonly revocations: Serial;
  /** The halves of a TLS pair are written together, one pair at a time. */
  readonly pairs: Serial;
  reload(options: ReloadOptions): Promise<ReloadResult>;
  /** What is served now. */
  generation(): Generation;
}
