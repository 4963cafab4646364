import { z } from "zod";
import { CliError } from "../cli-error.js";
import { type AgentConfig, agentConfigSchema } from "./agent-config.js";
import { configProblems } from "./config-problems.js";
import { parseToml } from "./parse-toml.js";
import { readDocument } from "./read-document.js";

/**
 * Reads and checks the agent's TOML file; without a path every setting has its default.
 *
 * @throws {@link CliError} `FILE`, `DOCUMENT_REFUSED` with every problem found.
 */
export async function loadAgentConfig(path: string | undefined, cwd: string): Promise<AgentConfig> {
  return path === undefined
    ? agentConfigSchema.parse({})
    : parseAgentConfig(await readDocument(path, "configuration", cwd), path);
}

/** @param path - For messages only. */
export async function parseAgentConfig(bytes: Uint8Array, path: string): Promise<AgentConfig> {
  const refused = (problems: readonly string[], cause?: unknown): CliError =>
    new CliError(
      "DOCUMENT_REFUSED",
      `the configuration ${path} is refused`,
      { path, problems },
      {
        cause,
        remedy: "correct the keys named above; 'basil doctor' checks the file again without starting anything",
      },
    );
  const document = await parseToml(bytes, refused);
  const result = agentConfigSchema.safeParse(document);
  if (result.success) return result.data;
  throw refused(configProblems(result.error, document, knownKeys), result.error);
}

/** The keys the schema knows in the table at `path`. */
function knownKeys(path: readonly string[]): string[] {
  let at = z.toJSONSchema(agentConfigSchema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  for (const key of path) at = at.properties?.[key] ?? at.items ?? {};
  return Object.keys(at.properties ?? {});
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** Of a list. */
  readonly items?: JsonSchema;
}
