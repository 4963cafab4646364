import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { AgentSettings } from "../config/agent-settings.js";
import { quote } from "../shell-quote.js";
import { type Check, fatal, ok, warn } from "./check.js";

const NAME = "audit_log";

/** Whether the agent could append to its audit log, which it opens before it serves. Nothing is opened or made. */
export async function checkAuditLog({ config }: AgentSettings, cwd: string): Promise<Check> {
  const configured = config["audit-log"];
  if (configured === undefined) return ok(NAME, "none is configured");
  const path = resolve(cwd, configured);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    const folder = dirname(path);
    if (await may(folder, constants.W_OK | constants.X_OK)) return ok(NAME, `${path} is made when the agent starts`);
    return fatal(
      NAME,
      `${path} is not there, and cannot be made in ${folder}`,
      `make the folder, for the agent's user to write: mkdir -p -m 0700 ${quote(folder)}`,
    );
  }
  if (found.isDirectory()) return fatal(NAME, `${path} is a folder`, "name a file in audit-log");
  if (!(await may(path, constants.R_OK | constants.W_OK))) {
    return fatal(NAME, `${path} cannot be written by this user`, `chown it to the agent's user, mode 0600: ${path}`);
  }
  const mode = found.mode & 0o7777;
  if (found.isFile() && (mode & 0o077) !== 0) {
    return warn(
      NAME,
      `${path} has mode 0${mode.toString(8)}: others can read who used which key`,
      `chmod 0600 ${quote(path)}`,
    );
  }
  return ok(NAME, path);
}

function may(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
