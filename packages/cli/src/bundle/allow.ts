import { allowContributor } from "@basil/bundle";
import { nonEmpty, repeated } from "../option-values.js";
import { declareAcceptRollback, declareBundle, declareOpen, defineBundleCommand } from "./bundle-command.js";
import { bundlePath, type OpenOptions, openOptions } from "./open-options.js";
import { SecretSource } from "./secret-source.js";

interface AllowOptions extends OpenOptions {
  readonly contributor: string;
  readonly contributorId?: string;
  readonly backend?: readonly string[];
}

export const allow = defineBundleCommand<
  AllowOptions,
  { bundle: string; contributor: string; backends: readonly string[]; recipient: string; epoch: number }
>({
  name: "allow",
  summary: "let a contributor deposit credentials for backends; replaces what the contributor was allowed before",
  examples: [
    "basil bundle allow creds.sealed --contributor PUBLIC-KEY --contributor-id ops --backend kms --open passphrase:file=/run/basil/pass",
  ],
  declare(command) {
    declareBundle(command)
      .requiredOption("--contributor <key>", "the contributor's Ed25519 public key, 43 characters base64url", nonEmpty)
      .option("--contributor-id <id>", "a name for the contributor; the public key when left out", nonEmpty)
      .option("--backend <id>", "a backend id; may be repeated, at least one", repeated);
    declareAcceptRollback(declareOpen(command, "required"));
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    const { contributor: publicKey, contributorId, backend: backends = [] } = options;
    using secrets = new SecretSource(context);
    const input = { publicKey, backends, ...(contributorId !== undefined && { id: contributorId }) };
    const { result, epoch } = await allowContributor(path, input, await openOptions(options, path, context, secrets));
    return { bundle: typed, contributor: result.id, backends, recipient: result.recipient, epoch };
  },
  render({ bundle, contributor, backends }, { out }) {
    out(`contributor ${contributor} may deposit ${backends.join(", ")} in ${bundle}`);
  },
});
