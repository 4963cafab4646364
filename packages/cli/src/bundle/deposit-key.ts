import { resolve } from "node:path";
import { ensureDepositKey } from "@basil/bundle";
import { nonEmpty } from "../option-values.js";
import { declareAcceptRollback, declareBundle, declareOpen, defineBundleCommand } from "./bundle-command.js";
import { bundlePath, type OpenOptions, openOptions } from "./open-options.js";
import { writePublicFile } from "./public-file.js";
import { SecretSource } from "./secret-source.js";

interface DepositKeyOptions extends OpenOptions {
  readonly out: string;
}

export const depositKey = defineBundleCommand<
  DepositKeyOptions,
  { bundle: string; out: string; recipient: string; epoch: number }
>({
  name: "deposit-key",
  summary: "write the public key deposits are sealed to, making it when there is none",
  examples: ["basil bundle deposit-key creds.sealed --out creds.recipient --open passphrase:file=/run/basil/pass"],
  declare(command) {
    declareBundle(command).requiredOption("--out <file>", "where to write it", nonEmpty);
    declareAcceptRollback(declareOpen(command, "required"));
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    using secrets = new SecretSource(context);
    const { result, epoch } = await ensureDepositKey(path, await openOptions(options, path, context, secrets));
    await writePublicFile(resolve(context.cwd, options.out), `${result}\n`);
    return { bundle: typed, out: options.out, recipient: result, epoch };
  },
  render({ bundle, out: file }, { out }) {
    out(`deposit key of ${bundle} written to ${file}`);
  },
});
