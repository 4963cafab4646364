import { disallowContributor } from "@basil/bundle";
import { nonEmpty } from "../option-values.js";
import { declareAcceptRollback, declareBundle, declareOpen, defineBundleCommand } from "./bundle-command.js";
import { bundlePath, type OpenOptions, openOptions } from "./open-options.js";
import { SecretSource } from "./secret-source.js";

interface DisallowOptions extends OpenOptions {
  readonly contributorId: string;
}

export const disallow = defineBundleCommand<DisallowOptions, { bundle: string; contributor: string; epoch: number }>({
  name: "disallow",
  summary: "take a contributor off the allow-list; what was promoted stays",
  examples: ["basil bundle disallow creds.sealed --contributor-id ops --open passphrase:file=/run/basil/pass"],
  declare(command) {
    declareBundle(command).requiredOption("--contributor-id <id>", "the contributor's id", nonEmpty);
    declareAcceptRollback(declareOpen(command, "required"));
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    using secrets = new SecretSource(context);
    const { epoch } = await disallowContributor(
      path,
      options.contributorId,
      await openOptions(options, path, context, secrets),
    );
    return { bundle: typed, contributor: options.contributorId, epoch };
  },
  render({ bundle, contributor }, { out }) {
    out(`contributor ${contributor} may deposit nothing more in ${bundle}`);
  },
});
