import type { BackendCredential } from "@basil/bundle";
import type { BackendEntry, Catalog } from "@basil/catalog";
import { type Backend, type BackendPlugin, isBackendError } from "@basil/core";
import { BrokerError } from "./errors.js";
import { type Logger, SILENT } from "./logger.js";

export interface OpenBackendsOptions {
  readonly catalog: Catalog;
  /** By the catalog's name of the backend; what an opened bundle holds. */
  readonly credentials: ReadonlyMap<string, BackendCredential>;
  /** By kind. */
  readonly plugins: ReadonlyMap<string, BackendPlugin>;
  readonly logger?: Logger;
}

/**
 * Opens every backend of the catalog with its credential. When one fails, those that are open already are closed.
 *
 * @throws {@link BrokerError} `PLUGIN_NOT_INSTALLED`, `CREDENTIAL_MISSING`, `CREDENTIAL_KIND_MISMATCH`,
 *   `CREDENTIAL_INVALID`, `BACKEND_OPEN_FAILED`; the first two before any backend is opened.
 */
export async function openBackends(options: OpenBackendsOptions): Promise<Backend[]> {
  const { catalog, logger = SILENT } = options;
  const entries = [...catalog.backends.values()];
  const ready = entries.map((entry) => ({ entry, plugin: pluginOf(entry, options), ...credentialOf(entry, options) }));
  const backends: Backend[] = [];
  try {
    for (const { entry, plugin, credential } of ready) {
      backends.push(await openOne(entry, plugin, credential, logger));
    }
    return backends;
  } catch (error) {
    await Promise.allSettled(backends.map((backend) => backend[Symbol.asyncDispose]()));
    throw error;
  }
}

async function openOne(entry: BackendEntry, plugin: BackendPlugin, credential: unknown, logger: Logger) {
  const { name: id, kind } = entry;
  const read = plugin.credentialSchema.safeParse(credential);
  if (!read.success) {
    const fields = read.error.issues.map(({ path }) => path.join(".") || "the whole");
    const message = `the credential of backend "${id}" is not one of kind "${kind}": ${fields.join(", ")}`;
    throw new BrokerError("CREDENTIAL_INVALID", message, { backend: id, kind, fields });
  }
  try {
    return await plugin.open(read.data, { id, logger });
  } catch (cause) {
    const known = isBackendError(cause) ? { error: cause } : {};
    const why = isBackendError(cause) ? `: ${cause.message}` : "";
    const details = { backend: id, kind, ...known };
    throw new BrokerError("BACKEND_OPEN_FAILED", `backend "${id}" of kind "${kind}" cannot be opened${why}`, details, {
      cause,
    });
  }
}

function pluginOf({ name, kind }: BackendEntry, { plugins }: OpenBackendsOptions): BackendPlugin {
  const plugin = plugins.get(kind);
  if (plugin !== undefined) return plugin;
  const installed = [...plugins.keys()];
  const message = `backend "${name}" is of kind "${kind}", whose plugin is not installed; installed: ${installed.join(", ") || "none"}`;
  throw new BrokerError("PLUGIN_NOT_INSTALLED", message, { backend: name, kind, installed });
}

function credentialOf({ name, kind }: BackendEntry, { credentials }: OpenBackendsOptions): { credential: unknown } {
  const found = credentials.get(name);
  if (found === undefined) {
    const message = `backend "${name}" of kind "${kind}" was given no credential`;
    throw new BrokerError("CREDENTIAL_MISSING", message, { backend: name, kind });
  }
  if (found.kind !== kind) {
    const message = `the credential of backend "${name}" is for kind "${found.kind}", the catalog says "${kind}"`;
    throw new BrokerError("CREDENTIAL_KIND_MISMATCH", message, { backend: name, expected: kind, found: found.kind });
  }
  return { credential: found.credential };
}
