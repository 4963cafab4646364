import { access, constants, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { AgentSettings } from "../config/agent-settings.js";
import { type Check, fatal, ok, warn } from "./check.js";

const NAME = "unlock_inputs";

/** Whether an unlock method is configured, and its file there and for its owner's eyes only; no content is read. */
export async function checkUnlockInputs({ config, configPath }: AgentSettings, cwd: string): Promise<Check> {
  const { unlock } = config;
  const files = [
    { what: "passphrase", path: unlock["unlock-passphrase-file"], wiped: unlock["unlock-passphrase-wipe"] },
    { what: "phrase", path: unlock["bip39-phrase-file"], wiped: unlock["unlock-passphrase-wipe"] },
    { what: "age identity", path: unlock["unlock-age-identity-file"], wiped: false },
  ];
  const configured = files.filter(({ path }) => path !== undefined);
  const kmsKey = unlock["unlock-aws-kms-key"];
  const fileless = [
    ...(unlock["age-yubikey"] ? ["the YubiKey plugin of age"] : []),
    ...(kmsKey === undefined ? [] : [`KMS key ${kmsKey}`]),
  ];
  if (configured.length + fileless.length === 0) {
    // Who names the documents alone asks about them; the agent's configuration may well be elsewhere.
    const tell = configPath === undefined ? warn : fatal;
    return tell(NAME, "no unlock method is configured", "set [unlock] unlock-passphrase-file in the configuration");
  }
  const findings: string[] = [];
  for (const { what, path = "", wiped } of configured) {
    // Service managers mount credentials as links, and the agent follows them.
    const at = resolve(cwd, path);
    const found = await stat(at).catch(() => undefined);
    if (found === undefined) {
      findings.push(`the ${what} file ${path} is not there${wiped ? "; an agent wipes it once it serves" : ""}`);
    } else if (!found.isFile()) {
      findings.push(`the ${what} file ${path} is not a plain file`);
    } else if (!(await isReadable(at))) {
      findings.push(`the ${what} file ${path} cannot be read by this user`);
    } else if ((found.mode & 0o077) !== 0) {
      findings.push(`the ${what} file ${path} has mode 0${(found.mode & 0o7777).toString(8)}`);
    }
  }
  if (findings.length === 0)
    return ok(NAME, [...configured.map(({ what, path }) => `${what} file ${path}`), ...fileless].join(", "));
  return warn(
    NAME,
    findings.join("; "),
    "put the file there before the agent starts, the agent's user's and mode 0600",
  );
}

function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
