import { type Backend, type CapabilityMode, checkCapabilities, renderCapabilityGap } from "@basil/core";
import { classifyReload, type DocumentPair, grantCount } from "@basil/policy";
import type { AuditLog } from "../audit/audit-log.js";
import { BrokerError } from "../errors.js";
import type { Generation } from "../generation.js";
import type { Logger } from "../logger.js";
import { Serial } from "../request/serial.js";
import { type DocumentSource, type RejectionReason, rejected } from "./document-source.js";

/** Who asked for a reload, as the audit log names it. */
export type ReloadActor =
  | { readonly kind: "signal"; readonly id: string }
  | { readonly kind: "unix_uid"; readonly id: string };

export interface ReloadOptions {
  /** Only say what would happen. Default: false. */
  readonly check?: boolean;
  /** Default: a signal named SIGHUP. */
  readonly actor?: ReloadActor;
}

export interface ReloadResult {
  readonly applied: boolean;
  /** As asked. */
  readonly checked: boolean;
  /** What served before; the first generation is 1. */
  readonly previousGeneration: number;
  /** What serves now, or would; the same as before after a rejection. */
  readonly newGeneration: number;
  /** 0 after a rejection, as `grantCount`. */
  readonly keyCount: number;
  /** Operations that rules grant, times targets, summed over the rules; `*` counts 17. */
  readonly grantCount: number;
  readonly rejection?: { readonly reason: RejectionReason; readonly message: string };
}

/** A real reload, as it goes. They never overlap, whoever asks for them; a check is none. */
export type ReloadEvent =
  | { readonly state: "reading" }
  /** Without a result when the reload failed outside what it foresees; what was served is served on. */
  | { readonly state: "done"; readonly result?: ReloadResult };

export interface ReloaderParts {
  readonly source: DocumentSource | undefined;
  readonly backends: readonly Backend[];
  readonly capabilityMode: CapabilityMode;
  readonly audit: AuditLog;
  readonly logger: Logger;
  readonly onReload: ((event: ReloadEvent) => void) | undefined;
}

/** Holds what is served, and swaps it whole. Requests that are under way finish on what they began with. */
export class Reloader {
  readonly #parts: ReloaderParts;
  #current: Generation;
  readonly #serial = new Serial();

  constructor(first: DocumentPair, parts: ReloaderParts) {
    this.#current = { id: 1, catalog: first.catalog, policy: first.policy };
    this.#parts = parts;
  }

  get current(): Generation {
    return this.#current;
  }

  /** Real reloads run one after the other. A refused candidate is a result, not an error, and changes nothing. */
  reload({ check = false, actor = { kind: "signal", id: "SIGHUP" } }: ReloadOptions = {}): Promise<ReloadResult> {
    if (check) return this.#run(true, actor);
    return this.#serial.run(async () => {
      this.#tell({ state: "reading" });
      let result: ReloadResult | undefined;
      try {
        result = await this.#run(false, actor);
        return result;
      } finally {
        this.#tell({ state: "done", ...(result && { result }) });
      }
    });
  }

  #tell(event: ReloadEvent): void {
    const { onReload, logger } = this.#parts;
    try {
      onReload?.(event);
    } catch (error) {
      logger.error({ error: String(error) }, "onReload threw");
    }
  }

  async #run(check: boolean, actor: ReloadActor): Promise<ReloadResult> {
    let result: ReloadResult;
    try {
      result = this.#accept(check, await this.#candidate());
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== "RELOAD_REJECTED") throw error;
      result = this.#refuse(check, error as BrokerError<"RELOAD_REJECTED">);
    }
    await this.#record(result, actor);
    return result;
  }

  async #candidate(): Promise<DocumentPair> {
    const { source, backends, capabilityMode: mode } = this.#parts;
    if (source === undefined) throw rejected("no_reload_inputs", "this broker was not told where its documents are");
    const candidate = await source.read();
    const { restart } = classifyReload(this.#current, candidate);
    if (restart.length > 0) {
      const places = restart.map(({ pointer, change }) => `${pointer} ${change}`).join(", ");
      throw rejected("routing_shape_changed", `these changes need a restart: ${places}`);
    }
    const provided = new Map(backends.map(({ kind, capabilities }) => [kind, capabilities]));
    const { ok, gaps } = checkCapabilities({ catalog: candidate.catalog, provided, mode });
    if (!ok)
      throw rejected(
        "validation_failed",
        gaps
          .filter(({ fatal }) => fatal)
          .map(renderCapabilityGap)
          .join("; "),
      );
    return candidate;
  }

  #accept(check: boolean, { catalog, policy }: DocumentPair): ReloadResult {
    const previous = this.#current;
    const next = { id: previous.id + 1, catalog, policy };
    if (!check) this.#current = next;
    return {
      applied: !check,
      checked: check,
      previousGeneration: previous.id,
      newGeneration: next.id,
      keyCount: catalog.keys.size,
      grantCount: grantCount(policy),
    };
  }

  #refuse(check: boolean, { message, details: { reason } }: BrokerError<"RELOAD_REJECTED">): ReloadResult {
    const { id } = this.#current;
    const rejection = { reason, message };
    return {
      applied: false,
      checked: check,
      previousGeneration: id,
      newGeneration: id,
      keyCount: 0,
      grantCount: 0,
      rejection,
    };
  }

  async #record(result: ReloadResult, actor: ReloadActor): Promise<void> {
    const { audit, logger } = this.#parts;
    const { rejection, previousGeneration, newGeneration: generation } = result;
    const outcome = rejection ? "rejected" : result.applied ? "applied" : "checked";
    const reason = rejection?.reason ?? (actor.kind === "signal" ? "signal" : "admin_rpc");
    const fields = { outcome, reason, previous_generation: previousGeneration, generation };
    if (rejection) logger.warn({ ...fields, rejection: rejection.message }, "reload rejected");
    else logger.info(fields, "reload");
    await audit.reload({ actor, ...fields });
  }
}
