import type { Catalog } from "@basil/catalog";
import type { Policy } from "@basil/policy";
import { CliError } from "./cli-error.js";
import { type AgentSettings, requiredPath } from "./config/agent-settings.js";
import { readDocument } from "./config/read-document.js";

/** The two documents, read and found whole, and the bytes they were read from. */
export interface Documents {
  readonly catalog: Catalog;
  readonly policy: Policy;
}

/**
 * Reads the catalog and the policy.
 *
 * @throws {@link CliError} `FAILED` when one is not named, `FILE`, `PLUGIN_REFUSED`, `DOCUMENT_REFUSED` with every refusal.
 */
export async function loadDocuments(settings: AgentSettings, cwd: string): Promise<Documents> {
  return { catalog: await loadCatalog(settings, cwd), policy: await loadPolicy(settings, cwd) };
}

export async function loadCatalog(settings: AgentSettings, cwd: string): Promise<Catalog> {
  const path = requiredPath(settings, "catalog");
  const bytes = await readDocument(path, "catalog", cwd);
  const { parseCatalog, CatalogError } = await import("@basil/catalog");
  const { pluginKinds: kinds } = await settings.kinds();
  try {
    return parseCatalog(bytes, { kinds });
  } catch (error) {
    throw error instanceof CatalogError ? documentRefused("catalog", path, error) : error;
  }
}

export async function loadPolicy(settings: AgentSettings, cwd: string): Promise<Policy> {
  return loadPolicyFile(requiredPath(settings, "policy"), cwd);
}

export async function loadPolicyFile(path: string, cwd: string): Promise<Policy> {
  const bytes = await readDocument(path, "policy", cwd);
  const { parsePolicy, PolicyError } = await import("@basil/policy");
  try {
    return parsePolicy(bytes);
  } catch (error) {
    throw error instanceof PolicyError ? documentRefused("policy", path, error) : error;
  }
}

interface Refused extends Error {
  readonly details: { readonly refusals: readonly { readonly message: string }[]; readonly truncated: boolean };
}

/** One line a refusal, each with the place in the document. */
export function documentRefused(document: string, path: string, error: Refused): CliError<"DOCUMENT_REFUSED"> {
  const { refusals, truncated } = error.details;
  const problems = refusals.map(({ message }) => message);
  if (truncated) problems.push("… and there may be more");
  return new CliError(
    "DOCUMENT_REFUSED",
    `the ${document} ${path} is refused`,
    { path, problems },
    {
      cause: error,
      remedy:
        document === "catalog" || document === "policy"
          ? "correct the places named above; 'basil doctor' reads the file again without starting anything"
          : "correct the places named above",
    },
  );
}
