import { open, stat } from "node:fs/promises";
import type { AgentSettings } from "../config/agent-settings.js";
import { fileProblem } from "../config/read-document.js";
import { quote } from "../shell-quote.js";
import { type Check, fatal, ok, skipped, warn } from "./check.js";

/** The three rows about the sealed bundle: readable, for its owner only, not an older copy. Nothing is unlocked. */
export async function checkBundle({ bundle, config }: AgentSettings): Promise<readonly Check[]> {
  const dependents = (because: string) => [skipped("bundle_perms", because), skipped("bundle_freshness", because)];
  if (bundle === undefined) {
    return [
      fatal("bundle_readable", "no bundle is named", 'give --bundle FILE, or set bundle = "FILE" in the configuration'),
      ...dependents("no bundle is named"),
    ];
  }
  const readable = await open(bundle, "r").then(
    async (file) => {
      await file.close();
      return ok("bundle_readable", bundle);
    },
    (error: unknown) =>
      fatal(
        "bundle_readable",
        `${bundle} cannot be read: ${fileProblem(error)}`,
        (error as NodeJS.ErrnoException).code === "ENOENT"
          ? `create it: basil bundle create ${quote(bundle)} --slot passphrase:file=FILE --backend id=NAME,type=KIND,…`
          : "check the path, and run the agent as the user it belongs to",
      ),
  );
  if (readable.status !== "ok") return [readable, ...dependents("the bundle cannot be read")];
  return [readable, await checkMode(bundle, config.unlock["strict-bundle-perms"]), await checkFreshness(bundle)];
}

async function checkMode(bundle: string, strict: boolean): Promise<Check> {
  const mode = (await stat(bundle)).mode & 0o7777;
  const shown = mode.toString(8).padStart(4, "0");
  if ((mode & 0o077) === 0) return ok("bundle_perms", `${bundle} has mode ${shown}`);
  const detail = `${bundle} has mode ${shown}: others can read the credentials' container`;
  const remedy = `chmod 0600 ${quote(bundle)}`;
  return strict
    ? fatal("bundle_perms", `${detail}, and strict-bundle-perms makes the agent refuse it`, remedy)
    : warn("bundle_perms", detail, remedy);
}

async function checkFreshness(bundle: string): Promise<Check> {
  const name = "bundle_freshness";
  const { inspectBundle, isBundleError } = await import("@basil/bundle");
  try {
    const { epoch, sidecarEpoch } = await inspectBundle(bundle);
    if (sidecarEpoch === undefined) {
      return warn(
        name,
        `${bundle}.epoch is not there, so an older copy would not be noticed`,
        "the agent writes it when it starts; restore it if it was lost",
      );
    }
    if (sidecarEpoch > epoch) {
      return fatal(
        name,
        `the bundle is of epoch ${epoch}, and epoch ${sidecarEpoch} was seen here: an older copy was restored`,
        "restore the newest copy of the bundle",
      );
    }
    return ok(name, `epoch ${epoch}`);
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return fatal(name, error.message, "restore the bundle and its .epoch file from a backup, or create them again");
  }
}
