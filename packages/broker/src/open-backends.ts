import type { BackendCredential } from "@basil/bundle";
import type { BackendEntry, Catalog } from "@basil/catalog";
import {
  type AnyBackendError,
  asBackendError,
  type Backend,
  BackendError,
  type BackendPlugin,
  within,
} from "@basil/core";
import { backendProblems, overclaims } from "./containment/backend-problems.js";
import { containBackend, contractBroken, disposeWithin } from "./containment/contain-backend.js";
import { BrokerError } from "./errors.js";
import { type Logger, SILENT } from "./logger.js";

/** How long a plugin may take to open a backend. */
const OPEN_TIMEOUT_MS = 20_000;

export interface OpenBackendsOptions {
  readonly catalog: Catalog;
  /** By the catalog's name of the backend; what an opened bundle holds. */
  readonly credentials: ReadonlyMap<string, BackendCredential>;
  /** By kind. */
  readonly plugins: ReadonlyMap<string, BackendPlugin>;
  readonly logger?: Logger;
  /** Milliseconds a plugin gets to open a backend. Default: 20,000. */
  readonly openTimeoutMs?: number;
}

/**
 * Opens every backend of the catalog with its credential. When one fails, those that are open already are closed. What a
 * backend answers is held to the contract from then on, whoever calls it.
 *
 * @throws {@link BrokerError} `PLUGIN_NOT_INSTALLED`, `CREDENTIAL_MISSING`, `CREDENTIAL_KIND_MISMATCH`,
 *   `CREDENTIAL_INVALID`, `BACKEND_OPEN_FAILED`, `BACKEND_CONTRACT`; the first two before any backend is opened.
 */
export async function openBackends(options: OpenBackendsOptions): Promise<Backend[]> {
  const { catalog, logger = SILENT } = options;
  const entries = [...catalog.backends.values()];
  const ready = entries.map((entry) => ({ entry, plugin: pluginOf(entry, options), ...credentialOf(entry, options) }));
  const backends: Backend[] = [];
  try {
    for (const { entry, plugin, credential } of ready) {
      backends.push(await openOne(entry, plugin, credential, logger, options.openTimeoutMs ?? OPEN_TIMEOUT_MS));
    }
    return backends;
  } catch (error) {
    await Promise.allSettled(backends.map((backend) => backend[Symbol.asyncDispose]()));
    throw error;
  }
}

async function openOne(
  entry: BackendEntry,
  plugin: BackendPlugin,
  credential: unknown,
  logger: Logger,
  timeoutMs: number,
): Promise<Backend> {
  const { name: id, kind } = entry;
  const opened = await open(entry, plugin, readCredential(entry, plugin, credential), logger, timeoutMs);
  try {
    const malformed = backendProblems(opened);
    if (malformed.length > 0) throw contractBroken(id, kind, malformed);
    const backend = containBackend(opened, logger);
    const problems = [
      ...(backend.id === id ? [] : [`its id is "${backend.id}", the catalog says "${id}"`]),
      ...(backend.kind === kind ? [] : [`its kind is "${backend.kind}"`]),
      ...overclaims(backend.capabilities, plugin.capabilities),
    ];
    if (problems.length > 0) throw contractBroken(id, kind, problems);
    return backend;
  } catch (error) {
    await disposeWithin(opened, id, logger);
    throw error;
  }
}

function readCredential({ name: id, kind }: BackendEntry, plugin: BackendPlugin, credential: unknown): unknown {
  let fields: string[];
  try {
    const read = plugin.credentialSchema.safeParse(credential);
    if (read.success) return read.data;
    fields = read.error.issues.map(({ path }) => path.join(".") || "the whole");
  } catch (cause) {
    throw openFailed(id, kind, asBackendError(cause));
  }
  const message = `the credential of backend "${id}" is not one of kind "${kind}": ${fields.join(", ")}`;
  throw new BrokerError("CREDENTIAL_INVALID", message, { backend: id, kind, fields });
}

async function open(
  { name: id, kind }: BackendEntry,
  plugin: BackendPlugin,
  credential: unknown,
  logger: Logger,
  timeoutMs: number,
): Promise<Backend> {
  const late = () => new BackendError("UNAVAILABLE", `its plugin has not opened it in ${timeoutMs} ms`, {});
  const opening = (async () => plugin.open(credential, { id, logger }))();
  try {
    return await within(timeoutMs, undefined, () => opening, { late });
  } catch (cause) {
    // One that opens after all has nobody to close it.
    void opening.then((backend) => disposeWithin(backend, id, logger)).catch(() => undefined);
    throw openFailed(id, kind, asBackendError(cause));
  }
}

function openFailed(id: string, kind: string, error: AnyBackendError): BrokerError<"BACKEND_OPEN_FAILED"> {
  const message = `backend "${id}" of kind "${kind}" cannot be opened: ${error.message}`;
  return new BrokerError("BACKEND_OPEN_FAILED", message, { backend: id, kind, error }, { cause: error });
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
