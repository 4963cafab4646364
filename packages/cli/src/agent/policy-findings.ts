import type { DocumentSource, Logger } from "@basil/broker";
import { counted } from "../counted.js";
import type { Documents } from "../documents.js";

const MOST = 20;

/** What a policy that loads most likely gets wrong, a caller that is two subjects and therefore nobody first of all. */
export async function policyWarnings({ catalog, policy }: Documents) {
  const { lintPolicy } = await import("@basil/policy");
  const { escapeControls } = await import("@basil/catalog");
  return lintPolicy(policy, catalog)
    .filter(({ severity }) => severity === "warning")
    .map(({ code, message }) => ({ code, message: escapeControls(message) }));
}

/** Logs the {@link policyWarnings}, the first twenty of them. */
export async function logPolicyFindings(documents: Documents, logger: Pick<Logger, "warn">): Promise<void> {
  const warnings = await policyWarnings(documents);
  for (const { code, message } of warnings.slice(0, MOST)) logger.warn({ document: "policy", code }, message);
  if (warnings.length > MOST) {
    logger.warn(
      { document: "policy" },
      `${counted(warnings.length - MOST, "more finding")}; 'basil policy lint' lists them`,
    );
  }
}

/** The same for every pair that a reload reads, whoever asks for the reload. */
export function loggingFindings(source: DocumentSource, logger: Pick<Logger, "warn">): DocumentSource {
  return {
    async read() {
      const documents = await source.read();
      await logPolicyFindings(documents, logger);
      return documents;
    },
  };
}
