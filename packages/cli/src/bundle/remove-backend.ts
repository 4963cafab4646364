import { removeBackend as removeBackendFrom } from "@basil/bundle";
import { nonEmpty } from "../option-values.js";
import { declareAcceptRollback, declareBundle, declareOpen, defineBundleCommand } from "./bundle-command.js";
import { bundlePath, type OpenOptions, openOptions } from "./open-options.js";
import { SecretSource } from "./secret-source.js";

interface RemoveBackendOptions extends OpenOptions {
  readonly backend: string;
}

export const removeBackend = defineBundleCommand<
  RemoveBackendOptions,
  { bundle: string; backend: string; epoch: number }
>({
  name: "remove-backend",
  summary: "take a backend credential out of a bundle",
  examples: ["basil bundle remove-backend creds.sealed --backend kms --open passphrase:file=/run/basil/pass"],
  declare(command) {
    declareBundle(command).requiredOption("--backend <id>", "the backend's id", nonEmpty);
    declareAcceptRollback(declareOpen(command, "required"));
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    using secrets = new SecretSource(context);
    const { epoch } = await removeBackendFrom(
      path,
      options.backend,
      await openOptions(options, path, context, secrets),
    );
    return { bundle: typed, backend: options.backend, epoch };
  },
  render({ bundle, backend }, { out }) {
    out(`backend ${backend} removed from ${bundle}`);
  },
});
