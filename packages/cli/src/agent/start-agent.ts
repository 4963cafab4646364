import { resolve } from "node:path";
import type { Broker, Logger } from "@basil/broker";
import type { BackendPlugin } from "@basil/core";
import { toCliError } from "../bundle/bundle-failure.js";
import { CliError } from "../cli-error.js";
import { type AgentSettings, requiredPath } from "../config/agent-settings.js";
import { unbuiltFeatures } from "../config/unbuilt-features.js";
import type { CommandContext } from "../context.js";
import { type Documents, loadDocuments } from "../documents.js";
import type { ServiceManager } from "../service-manager/service-manager.js";
import { version } from "../version.js";
import { brokerLimits } from "./broker-limits.js";
import { checkSockets } from "./check-sockets.js";
import { openSockets } from "./open-sockets.js";
import { loggingFindings, logPolicyFindings } from "./policy-findings.js";
import { reconcileProgress } from "./reconcile-progress.js";
import { startupFailure } from "./startup-failure.js";
import { readUnlockInputs } from "./unlock-inputs.js";

/** An agent that serves. */
export interface RunningAgent {
  /** Opens the audit log at its path again, then reads catalog and policy again. Both are logged, neither throws. */
  hangup(): Promise<void>;
  /** Answers what is in flight, for as long as `drain-timeout-secs` says, and stops. */
  close(): Promise<void>;
}

/**
 * Starts the broker: configuration, documents, plugins, bundle, backends, capability check, reconcile, and only then the
 * socket. Whatever fails, fails before anybody could connect.
 *
 * @throws {@link CliError} for everything an operator can mend.
 */
export async function startAgent(
  settings: AgentSettings,
  context: CommandContext,
  logger: Logger,
  manager: ServiceManager,
): Promise<RunningAgent> {
  const { config } = settings;
  const unbuilt = unbuiltFeatures(config);
  if (unbuilt.length > 0) {
    throw new CliError(
      "DOCUMENT_REFUSED",
      "the configuration asks for what is not part of this build",
      { path: settings.configPath ?? "", problems: unbuilt },
      {
        remedy: "take the keys out, or switch them off",
      },
    );
  }
  const documents = await loadDocuments(settings, context.cwd);
  for (const { message } of documents.catalog.warnings) logger.warn({ document: "catalog" }, message);
  await logPolicyFindings(documents, logger);
  const { isBrokerError } = await import("@basil/broker");
  const { isBundleError } = await import("@basil/bundle");
  try {
    return await open(settings, documents, context, logger, manager);
  } catch (error) {
    if (isBrokerError(error)) throw startupFailure(error);
    throw isBundleError(error) ? toCliError(error) : error;
  }
}

async function open(
  settings: AgentSettings,
  { catalog, policy }: Documents,
  context: CommandContext,
  logger: Logger,
  manager: ServiceManager,
): Promise<RunningAgent> {
  const { config } = settings;
  const { createBroker, disableCoreDumps, documentFiles, openAuditFile, openBackends } = await import("@basil/broker");
  const { openBundle } = await import("@basil/bundle");
  const { parseCatalog } = await import("@basil/catalog");
  const { signal } = context;

  const kinds = await settings.kinds();
  for (const kind of kinds.pluginKinds) logger.info({ kind, package: kinds.packageOf(kind) }, "backend package loaded");
  const plugins = new Map<string, BackendPlugin>();
  for (const { kind } of catalog.backends.values()) if (!plugins.has(kind)) plugins.set(kind, await kinds.load(kind));

  // The broker's lock decides in the end; before the bundle is opened, the audit log of whoever serves there stays untouched.
  await checkSockets(settings, context, manager.socket !== undefined);
  // Before the first secret is read.
  if (!(await disableCoreDumps())) logger.warn({}, "core dumps could not be switched off");
  using unlock = await readUnlockInputs(config, context.cwd);
  await using bundle = await openBundle(requiredPath(settings, "bundle"), {
    unlock: unlock.providers,
    looseMode: config.unlock["strict-bundle-perms"] ? "refuse" : "warn",
    raiseSidecar: true,
    signal,
  });
  logger.info({ bundle: settings.bundle, epoch: bundle.epoch, slot: bundle.slot.label }, "bundle opened");
  for (const warning of bundle.warnings) logger.warn({ bundle: settings.bundle }, warning);
  for (const { status, record, file, fingerprint } of bundle.deposits) {
    const fields = { file, status, fingerprint, ...record };
    if (status === "effective") logger.info(fields, "deposit applied");
    else logger.warn(fields, "deposit ignored");
  }

  const auditLog = config["audit-log"];
  const audit = auditLog === undefined ? undefined : await openAuditFile(resolve(context.cwd, auditLog), { logger });
  const backends = await openBackends({ catalog, credentials: bundle.backends, plugins, logger }).catch(
    async (error: unknown) => {
      await audit?.[Symbol.asyncDispose]();
      throw error;
    },
  );
  if (config["no-reconcile"]) logger.warn({}, "no-reconcile is set: no key was looked for");
  const broker = await createBroker({
    catalog,
    policy,
    backends,
    capabilityMode: config["capability-policy"],
    reconcile: !config["no-reconcile"],
    onReconcile: reconcileProgress(logger),
    onReload: (event) => {
      if (event.state === "reading") manager.reloading();
      else manager.ready(servingStatus(broker, event.result?.applied ?? false));
    },
    ...(audit && { audit }),
    auditFailure: config["audit-failure"],
    verifySignatures: config["verify-signatures"],
    documents: loggingFindings(
      documentFiles({
        catalog: requiredPath(settings, "catalog"),
        policy: requiredPath(settings, "policy"),
        parseCatalog: (bytes) => parseCatalog(bytes, { kinds: kinds.pluginKinds }),
      }),
      logger,
    ),
    logger,
    limits: brokerLimits(config),
    version: version(),
    signal,
  });
  if (broker.report.reconcile !== undefined) {
    const { renderReconcileReport } = await import("@basil/core");
    for (const line of renderReconcileReport(broker.report.reconcile)) logger.info({}, line);
  }
  try {
    await openSockets(broker, settings, context, logger, manager.socket);
  } catch (error) {
    await broker.close();
    throw error;
  }
  // Only now: a start that fails can be tried again with the same file.
  await unlock.wipe(logger);
  const drainMs = config["drain-timeout-secs"] * 1000;
  let hangups = Promise.resolve();
  return {
    close: () => broker.close(drainMs),
    hangup() {
      hangups = hangups.then(() => hangup(broker, logger));
      return hangups;
    },
  };
}

/** The audit log first: when a manager is told that the reload is over, both are done. */
async function hangup(broker: Broker, logger: Logger): Promise<void> {
  try {
    await broker.reopenAudit();
  } catch (error) {
    logger.error({ error }, "the audit log could not be opened again");
  }
  try {
    const { applied, rejection, ...counts } = await broker.reload();
    if (applied) logger.info(counts, "catalog and policy read again");
    else logger.error({ ...rejection }, "catalog and policy refused; what was served is served on");
  } catch (error) {
    logger.error({ error }, "SIGHUP could not be carried out");
  }
}

function servingStatus({ generation }: Broker, applied: boolean): string {
  return applied ? `serving generation ${generation}` : `serving generation ${generation}; the last reload was refused`;
}
