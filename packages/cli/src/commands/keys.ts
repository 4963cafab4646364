import { type DocumentOptions, declareDocuments } from "../catalog/document-options.js";
import { defineCommand } from "../command.js";
import { repeated } from "../option-values.js";
import { declareKms, type KmsFlags } from "../provision/kms-flags.js";
import type { KeysReport } from "../provision/list-keys.js";
import { writeTable } from "../table.js";

interface KeysOptions extends DocumentOptions, KmsFlags {
  readonly keyId?: readonly string[];
}

export const keys = defineCommand<KeysOptions, KeysReport>({
  name: "keys",
  summary: "show what AWS KMS holds for the catalog: versions, aliases, ARNs, states; no broker is asked",
  strayOperand: "--key-id",
  examples: [
    "basil keys --catalog catalog.json --region us-east-1",
    "basil keys --catalog catalog.json --region us-east-1 --profile provisioner --key-id jwt.signing.primary --json",
  ],
  declare(command) {
    declareDocuments(command, "catalog");
    command.option("--key-id <name>", "only this key; may be repeated (default: every key on aws-kms)", repeated);
    declareKms(command);
  },
  async run({ options }, context) {
    using _ = context.terminal.working("asking KMS");
    const { listKeys } = await import("../provision/list-keys.js");
    return listKeys(options, context);
  },
  render({ keys: listed, all_aliases }, terminal) {
    const rows = listed.flatMap(({ key, key_type, path, outcome, versions }) => {
      if (versions.length === 0) return [[key, key_type, "-", "", outcome, path, ""]];
      return versions.map(({ version, current, arn, state, aliases }) => [
        key,
        key_type,
        version === null ? "?" : String(version),
        current ? "yes" : "",
        state,
        aliases.join(" "),
        arn,
      ]);
    });
    writeTable(["NAME", "KEY TYPE", "VERSION", "CURRENT", "STATE", "ALIASES", "ARN"], rows, terminal);
    const { err, errColors } = terminal;
    for (const { key, outcome, reason, path } of listed) {
      if (outcome !== "present")
        err(`${errColors.red("error:")} key "${key}" at ${path} is ${outcome}${reason ? `: ${reason}` : ""}`);
    }
    if (!all_aliases)
      err("note: kms:ListAliases is denied to this identity, so only aliases that were asked for are shown");
  },
  jsonStyle: "document",
  exitCode: ({ keys: listed }) => (listed.every(({ outcome }) => outcome === "present") ? 0 : 1),
});
