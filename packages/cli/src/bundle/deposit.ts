import { basename, resolve } from "node:path";
import {
  deposit as depositBeside,
  depositTarget,
  makeDeposit,
  nextSequence,
  parseBackendSpec,
  publicTokenOf,
} from "@basil/bundle";
import { integer, nonEmpty } from "../option-values.js";
import { declarePluginsAndConfiguration, kindsForCredentials } from "../plugins/plugin-kinds.js";
import { backendCredential } from "./backend-credential.js";
import { declareBundle, defineBundleCommand } from "./bundle-command.js";
import { keyBytes } from "./key-bytes.js";
import { bundlePath } from "./open-options.js";
import { writePublicFile } from "./public-file.js";
import { SecretSource } from "./secret-source.js";

interface DepositOptions {
  readonly backend: string;
  readonly recipient: string;
  readonly identity: string;
  readonly contributorId?: string;
  readonly seq?: number;
  readonly out?: string;
  readonly plugin?: readonly string[];
  readonly config?: string;
}

interface DepositReport {
  readonly bundle: string;
  readonly backend: string;
  readonly contributor: string;
  readonly sequence: number;
  readonly epoch: number;
  readonly fingerprint: string;
  readonly file: string;
}

export const deposit = defineBundleCommand<DepositOptions, DepositReport>({
  name: "deposit",
  summary: "leave a signed credential beside a bundle without opening it",
  examples: [
    "basil bundle deposit creds.sealed --backend id=kms,type=aws-kms,region=us-east-1 -r creds.recipient -i ops.seed --contributor-id ops",
    "basil bundle deposit creds.sealed --backend id=kms,type=aws-kms,region=us-east-1 -r creds.recipient -i ops.seed --out kms.deposit",
  ],
  declare(command) {
    declareBundle(command)
      .requiredOption("--backend <spec>", "the credential: id=ID,type=TYPE and the fields of the type", nonEmpty)
      .requiredOption("-r, --recipient <file>", "the bundle's deposit key, as 'bundle deposit-key' wrote it", nonEmpty)
      .requiredOption("-i, --identity <file>", "the contributor's 32-byte Ed25519 seed, mode 0600", nonEmpty)
      .option(
        "--contributor-id <id>",
        "the id the contributor is allowed under; the public key when left out",
        nonEmpty,
      )
      .option(
        "--seq <n>",
        "the sequence number; one above the last when left out",
        integer(1, Number.MAX_SAFE_INTEGER - 1),
      )
      .option("--out <file>", "write the record here, to be moved into BUNDLE.deposits/ by hand", nonEmpty);
    declarePluginsAndConfiguration(command);
  },
  async run({ options, operands }, context) {
    const { typed, path } = bundlePath(operands, context);
    const spec = parseBackendSpec(options.backend);
    const kinds = await kindsForCredentials(options, context);
    using secrets = new SecretSource(context);
    const seed = keyBytes("--identity", options.identity, await secrets.readFile(options.identity, { private: true }));
    const recipient = new TextDecoder().decode(await secrets.readFile(options.recipient, { private: false })).trim();
    const credential = await backendCredential(spec, secrets, kinds);
    const { contributorId, seq: sequence, out } = options;
    const common = { recipient, seed, ...(contributorId !== undefined && { contributorId }) };
    try {
      if (out === undefined) {
        const made = await depositBeside(path, credential, { ...common, ...(sequence !== undefined && { sequence }) });
        return reportOf(typed, made, `${typed}.deposits/${basename(made.file)}`);
      }
      const target = await depositTarget(path, common);
      const next = sequence ?? (await nextSequence(path, publicTokenOf(seed), credential.id));
      const made = await makeDeposit(target, credential, { ...common, sequence: next });
      await writePublicFile(resolve(context.cwd, out), made.bytes);
      return reportOf(typed, made, out);
    } finally {
      seed.fill(0);
      if (credential.warning !== undefined) context.terminal.err(`warning: ${credential.warning}`);
    }
  },
  render({ backend, contributor, sequence, fingerprint, file }, { out }) {
    out(`deposit for ${backend} by ${contributor}, seq ${sequence}, fingerprint ${fingerprint} written to ${file}`);
  },
});

function reportOf(bundle: string, made: Awaited<ReturnType<typeof makeDeposit>>, file: string): DepositReport {
  const { backend, contributor, sequence, epoch } = made.record;
  return { bundle, backend, contributor, sequence, epoch, fingerprint: made.fingerprint, file };
}
