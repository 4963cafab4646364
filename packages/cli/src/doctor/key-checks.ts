import { randomUUID } from "node:crypto";
import type { BackendPlugin, ReconciledKey, ReconcileReport } from "@basil/core";
import { readUnlockInputs } from "../agent/unlock-inputs.js";
import { CliError } from "../cli-error.js";
import { type AgentSettings, requiredPath } from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import { counted } from "../counted.js";
import { loadCatalog } from "../documents.js";
import { type Check, fatal, ok, warn } from "./check.js";

const NAME = "key_material";

/**
 * Opens the bundle and looks for every key of the catalog, by metadata alone: one row for all, then one for each that is
 * not as it must be. Nothing is made, wiped or written.
 */
export async function checkKeys(settings: AgentSettings, context: CommandContext): Promise<Check[]> {
  try {
    return rowsOf(await probe(settings, context));
  } catch (error) {
    if (context.signal.aborted)
      throw new CliError("DEADLINE", "interrupted; nothing was changed", {}, { cause: error });
    const why = error instanceof Error ? error.message : String(error);
    return [fatal(NAME, `the keys cannot be looked for: ${why}`, "correct the rows above and what the message names")];
  }
}

async function probe(settings: AgentSettings, context: CommandContext): Promise<ReconcileReport> {
  const { openBackends } = await import("@basil/broker");
  const { openBundle } = await import("@basil/bundle");
  const { reconcile } = await import("@basil/core");
  const { cwd, signal } = context;
  const catalog = await loadCatalog(settings, cwd);
  const plugins = new Map<string, BackendPlugin>();
  const kinds = await settings.kinds();
  for (const { kind } of catalog.backends.values()) plugins.set(kind, await kinds.load(kind));
  using unlock = await readUnlockInputs(settings.config, cwd);
  await using bundle = await openBundle(requiredPath(settings, "bundle"), { unlock: unlock.providers, signal });
  const opened = await openBackends({ catalog, credentials: bundle.backends, plugins });
  try {
    const backends = new Map(opened.map((backend) => [backend.id, backend]));
    return await reconcile({
      catalog,
      backends,
      dryRun: true,
      context: { signal, requestId: `doctor:${randomUUID()}` },
    });
  } finally {
    await Promise.allSettled(opened.map((backend) => backend[Symbol.asyncDispose]()));
  }
}

function rowsOf({ keys, counts }: ReconcileReport): Check[] {
  const rows = keys.flatMap((key) => rowOf(key) ?? []);
  const summary = `${counts.present} of ${counted(keys.length, "key")} ${counts.present === 1 ? "is" : "are"} there`;
  if (rows.some(({ status }) => status === "fatal")) {
    return [fatal(NAME, summary, "correct the keys in the rows below"), ...rows];
  }
  if (rows.length > 0) return [warn(NAME, `${summary}; the rest may be missing`, "see the rows below"), ...rows];
  return [ok(NAME, summary)];
}

function rowOf(key: ReconciledKey): Check | undefined {
  const name = `${NAME}:${key.key}`;
  switch (key.outcome) {
    case "present":
    case "generated":
      return undefined;
    case "warned":
      return warn(
        name,
        `absent at ${key.path}; operations on it fail until it is there`,
        "create it, or take it out of the catalog",
      );
    case "pending":
      return warn(
        name,
        `absent at ${key.path}; the agent makes it when it starts`,
        "start the agent once on an identity that may create keys",
      );
    case "missing":
      return fatal(
        name,
        `absent at ${key.path}`,
        'create it there, correct path, or set missing to "generate" for one run',
      );
    case "unusable":
      return fatal(
        name,
        `there, and cannot be used: ${key.reason}`,
        "correct the key, or path or keyType in the catalog",
      );
    case "probe-failed":
    case "generate-refused":
    case "generate-failed":
      return fatal(name, key.error.message, remedyOf(key.error));
  }
}

function remedyOf(error: Extract<ReconciledKey, { error: unknown }>["error"]): string {
  if (error.code !== "ACCESS_DENIED") return "check region, endpoint and credentials of the identity the agent runs as";
  const { action, resource } = error.details;
  return `allow ${action}${resource === undefined ? "" : ` on ${resource}`} to the identity the agent runs as`;
}
