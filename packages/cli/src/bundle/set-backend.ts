import { parseBackendSpec, setBackend as setBackendIn } from "@basil/bundle";
import { nonEmpty } from "../option-values.js";
import { declarePluginsAndConfiguration, kindsForCredentials } from "../plugins/plugin-kinds.js";
import { backendCredential } from "./backend-credential.js";
import { declareAcceptRollback, declareBundle, declareOpen, defineBundleCommand } from "./bundle-command.js";
import { bundlePath, type OpenOptions, openOptions } from "./open-options.js";
import { SecretSource } from "./secret-source.js";

interface SetBackendOptions extends OpenOptions {
  readonly backend: string;
  readonly plugin?: readonly string[];
  readonly config?: string;
}

export const setBackend = defineBundleCommand<
  SetBackendOptions,
  { bundle: string; backend: string; kind: string; result: "added" | "replaced"; epoch: number }
>({
  name: "set-backend",
  summary: "add a backend credential to a bundle, or replace the one of the same id",
  examples: [
    "basil bundle set-backend creds.sealed --backend id=kms,type=aws-kms,region=us-east-1 --open passphrase:file=/run/basil/pass",
    "basil bundle set-backend creds.sealed -c agent.toml --backend id=store,type=acme,token-file=token --open passphrase:file=/run/basil/pass",
  ],
  declare(command) {
    declareBundle(command).requiredOption(
      "--backend <spec>",
      "the credential: id=ID,type=TYPE and the fields of the type, e.g. id=kms,type=aws-kms,region=us-east-1",
      nonEmpty,
    );
    declareAcceptRollback(declareOpen(command, "required"));
    declarePluginsAndConfiguration(command);
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    const spec = parseBackendSpec(options.backend);
    const kinds = await kindsForCredentials(options, context);
    using secrets = new SecretSource(context);
    const credential = await backendCredential(spec, secrets, kinds);
    const opening = await openOptions(options, path, context, secrets);
    const { result, epoch } = await setBackendIn(path, credential, opening);
    if (credential.warning !== undefined) context.terminal.err(`warning: ${credential.warning}`);
    return { bundle: typed, backend: credential.id, kind: credential.kind, result, epoch };
  },
  render({ bundle, backend, result }, { out }) {
    out(`backend ${backend} ${result === "added" ? "added to" : "replaced in"} ${bundle}`);
  },
});
