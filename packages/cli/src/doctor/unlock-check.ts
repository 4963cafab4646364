import { lstat } from "node:fs/promises";
import type { AgentSettings } from "../config/agent-settings.js";
import { type Check, ok, warn } from "./check.js";

const NAME = "unlock_inputs";

/** Whether an unlock method is configured, and its file there and for its owner's eyes only; no content is read. */
export async function checkUnlockInputs({ config }: AgentSettings): Promise<Check> {
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
    return warn(NAME, "no unlock method is configured", "set [unlock] unlock-passphrase-file in the configuration");
  }
  const findings: string[] = [];
  for (const { what, path = "", wiped } of configured) {
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) {
      findings.push(`the ${what} file ${path} is not there${wiped ? "; an agent wipes it once it serves" : ""}`);
    } else if ((found.mode & 0o077) !== 0) {
      findings.push(`the ${what} file ${path} has mode 0${(found.mode & 0o7777).toString(8)}`);
    }
  }
  if (findings.length === 0)
    return ok(NAME, [...configured.map(({ what, path }) => `${what} file ${path}`), ...fileless].join(", "));
  return warn(NAME, findings.join("; "), "put the file there before the agent starts, mode 0600");
}
