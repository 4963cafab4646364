import type { Logger } from "@basil/broker";
import type { Documents } from "../documents.js";

const MOST = 20;

/** Logs what a policy that loads most likely gets wrong, a caller that is two subjects and therefore nobody first of all. */
export async function logPolicyFindings({ catalog, policy }: Documents, logger: Pick<Logger, "warn">): Promise<void> {
  const { lintPolicy } = await import("@basil/policy");
  const { escapeControls } = await import("@basil/catalog");
  const warnings = lintPolicy(policy, catalog).filter(({ severity }) => severity === "warning");
  for (const { code, message } of warnings.slice(0, MOST)) {
    logger.warn({ document: "policy", code }, escapeControls(message));
  }
  if (warnings.length > MOST) {
    logger.warn({ document: "policy" }, `${warnings.length - MOST} more findings; 'basil policy lint' lists them`);
  }
}
