import type { Catalog } from "@basil/catalog";
import { policyWarnings } from "../agent/policy-findings.js";
import { CliError } from "../cli-error.js";
import type { AgentSettings } from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import { counted } from "../counted.js";
import { loadCatalog, loadPolicy } from "../documents.js";
import { checkAuditLog } from "./audit-check.js";
import { checkBundle } from "./bundle-checks.js";
import { checkCapability } from "./capability-check.js";
import { type Check, fatal, ok, warn } from "./check.js";
import { checkFeatures } from "./feature-check.js";
import { checkDocumentPermissions } from "./permissions-check.js";
import { checkSocket } from "./socket-check.js";
import { checkUnlockInputs } from "./unlock-check.js";
import { checkBackendBinary, checkBackendReachability } from "./vault-checks.js";

/** Every offline check, in the order the rows are shown. Nothing is unlocked, bound or changed. */
export async function preflight(settings: AgentSettings, context: CommandContext): Promise<Check[]> {
  const { catalog, check: catalogPolicy, findings } = await checkDocuments(settings, context.cwd);
  return [
    catalogPolicy,
    await checkCapability(settings, catalog),
    checkInvocationBindings(settings),
    await checkFeatures(settings, catalog),
    await checkBackendBinary(catalog, context.env),
    await checkSocket(settings),
    ...(await checkBundle(settings)),
    await checkBackendReachability(catalog, context.signal),
    await checkUnlockInputs(settings, context.cwd),
    await checkAuditLog(settings, context.cwd),
    await checkDocumentPermissions(settings, context.uid),
    ...findings,
  ];
}

/** The only row when the configuration itself is refused: every other check depends on it. */
export function configurationRefused(error: CliError): Check[] {
  const problems = "problems" in error.details ? `: ${error.details.problems.join("; ")}` : "";
  return [fatal("configuration", `${error.message}${problems}`, error.remedy ?? "correct the configuration file")];
}

/** Each document is judged, also when the other one is refused. */
async function checkDocuments(
  settings: AgentSettings,
  cwd: string,
): Promise<{ readonly catalog: Catalog | undefined; readonly check: Check; readonly findings: readonly Check[] }> {
  const failures: CliError[] = [];
  const collect = (error: unknown): undefined => {
    if (!(error instanceof CliError)) throw error;
    failures.push(error);
  };
  const catalog = await loadCatalog(settings, cwd).catch(collect);
  const policy = await loadPolicy(settings, cwd).catch(collect);
  const name = "catalog_policy";
  if (catalog === undefined || policy === undefined) {
    const detail = failures
      .map(({ message, details }) => ("problems" in details ? `${message}: ${details.problems.join("; ")}` : message))
      .join("; ");
    const remedy = failures.map(({ remedy }) => remedy ?? "correct the document").join("; ");
    return { catalog, check: fatal(name, detail, remedy), findings: [] };
  }
  const counts = [
    counted(catalog.backends.size, "backend"),
    counted(catalog.keys.size, "key"),
    counted(policy.rules.length, "rule"),
  ].join(", ");
  const notes = catalog.warnings.map(({ message }) => message);
  const warnings = await policyWarnings({ catalog, policy });
  const found = warnings.map(({ message }) => message).join("; ");
  const remedy = "correct the places named; 'basil policy lint' shows them one a line";
  const findings = found === "" ? [] : [warn("policy_findings", found, remedy)];
  return { catalog, check: ok(name, [counts, ...notes].join("; ")), findings };
}

function checkInvocationBindings({ config }: AgentSettings): Check {
  const name = "invocation_bindings";
  if (!config.invocation.enable) return ok(name, "sealed invocation is off");
  return fatal(name, "sealed invocation is on, and is not part of this build", "set [invocation] enable = false");
}
