import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { AgentSettings } from "../config/agent-settings.js";
import { type Check, ok, warn } from "./check.js";

const NAME = "document_permissions";

/** Whether somebody else could rewrite what the agent will read: configuration, catalog, policy, or a folder of theirs. */
export async function checkDocumentPermissions(settings: AgentSettings, uid: number): Promise<Check> {
  const paths = [settings.configPath, settings.catalog, settings.policy].filter((path) => path !== undefined);
  const findings: string[] = [];
  const seen = new Set<string>();
  for (const path of paths.flatMap((file) => [file, dirname(file)])) {
    if (seen.has(path)) continue;
    seen.add(path);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) continue;
    if (found.uid !== 0 && found.uid !== uid) findings.push(`${path} belongs to uid ${found.uid}`);
    // In a sticky folder only its owner can replace a file.
    const replaceable = (found.mode & 0o022) !== 0 && !(found.isDirectory() && (found.mode & 0o1000) !== 0);
    if (replaceable)
      findings.push(`${path} can be written by ${(found.mode & 0o002) === 0 ? "its group" : "everybody"}`);
  }
  if (findings.length === 0) return ok(NAME, "only this user and root can change configuration, catalog and policy");
  return warn(
    NAME,
    findings.join("; "),
    "chmod go-w the files and folders named, and chown them to root or the agent's user",
  );
}
