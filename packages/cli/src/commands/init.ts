import { lstat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Option } from "commander";
import { CliError } from "../cli-error.js";
import { defineCommand, type GlobalOptions } from "../command.js";
import type { CommandContext } from "../context.js";
import { nonEmpty, repeated } from "../option-values.js";
import { socketPathProblem } from "../socket-path.js";

interface InitOptions extends GlobalOptions {
  readonly backend: "aws-kms";
  readonly dir: string;
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly key?: readonly string[];
  readonly uid?: readonly string[];
  readonly unlock?: "passphrase" | "none";
  readonly passphraseFile?: string;
  readonly yes?: boolean;
  readonly force?: boolean;
}

interface InitReport {
  readonly files: readonly string[];
  readonly bundle: string | null;
  readonly next_steps: readonly string[];
}

export const init = defineCommand<InitOptions, InitReport>({
  name: "init",
  summary: "write a catalog, a policy and a configuration to begin with; asks at a terminal",
  strayOperand: "--dir",
  examples: [
    "basil init",
    "basil init --region us-east-1 --yes",
    "basil init --region us-east-1 --key jwt.signing=ecdsa-p256 --key app.data=aes-256-gcm --uid 1001",
    "basil init --region us-east-1 --dir /etc/basil --unlock passphrase --passphrase-file /etc/basil/pass",
  ],
  declare(command) {
    command
      .addOption(new Option("--backend <kind>", "where the keys are").choices(["aws-kms"]).default("aws-kms"))
      .option("--dir <folder>", "where to write; made when it is not there", nonEmpty, "./basil")
      .option("--region <region>", "the AWS region (environment: AWS_REGION)", nonEmpty)
      .option("--profile <name>", "the AWS profile the agent uses", nonEmpty)
      .option("--endpoint <url>", "KMS at another address than AWS's own", nonEmpty)
      .option("--key <name=type>", "a key to serve; may be repeated, or none (default: an example)", repeated)
      .option("--uid <uid>", "a user who may use them; may be repeated (default: the running one)", repeated)
      .addOption(
        new Option("--unlock <method>", "also seal the bundle, to be opened this way").choices(["passphrase", "none"]),
      )
      .option("--passphrase-file <path>", "the passphrase (default: DIR/passphrase)", nonEmpty)
      .option("--yes", "ask nothing, and take the defaults")
      .option("--force", "replace files that are there");
  },
  async run({ options }, context) {
    const { cwd, env } = context;
    const folder = resolve(cwd, options.dir);
    const at = (name: string): string => join(folder, name);
    const passphraseFile =
      options.passphraseFile === undefined ? at("passphrase") : resolve(cwd, options.passphraseFile);
    const paths = {
      catalog: at("catalog.json"),
      policy: at("policy.json"),
      config: at("agent.toml"),
      bundle: at("creds.sealed"),
      // BASIL_SOCKET names the socket of another deployment, which two agents cannot share.
      socket: options.socket === undefined ? at("basil.sock") : resolve(cwd, options.socket),
      auditLog: at("audit.jsonl"),
      passphraseFile,
    };
    const tooLong = socketPathProblem(paths.socket);
    if (tooLong !== undefined) {
      const remedy = "choose a --dir with a shorter path, or name the socket with --socket";
      throw new CliError("USAGE", tooLong, { flag: options.socket === undefined ? "--dir" : "--socket" }, { remedy });
    }
    const documents = [paths.catalog, paths.policy, paths.config];
    const sealable = options.unlock === "none" ? [] : [paths.bundle];
    const asks = context.stdin.isTTY === true && options.yes !== true;
    // Before anybody answers questions for nothing.
    if (!options.force)
      await requireFree(asks || options.unlock === "passphrase" ? [...documents, ...sealable] : documents);
    const { interview, withoutAsking } = await import("../init/interview.js");
    const answers = asks
      ? await interview(options, context)
      : withoutAsking(options, regionOf(options, context), context.uid);
    const { regionDoubt } = await import("../init/answers.js");
    const doubt = regionDoubt(answers.region);
    if (doubt !== undefined) context.terminal.err(`${context.terminal.errColors.yellow("warning:")} ${doubt}`);
    const bundleMade = answers.unlock === "passphrase";
    const { deploy } = await import("../init/deploy.js");
    await deploy({ answers, paths, folder, asks, force: options.force ?? false }, context);
    const variable = env.BASIL_SOCKET;
    if (variable && resolve(cwd, variable) !== paths.socket) {
      const text = `BASIL_SOCKET is set to ${JSON.stringify(variable)} and overrides the socket of ${paths.config}; unset it before you start this agent`;
      context.terminal.err(`${context.terminal.errColors.yellow("warning:")} ${text}`);
    }
    const { nextSteps } = await import("../init/next-steps.js");
    return {
      files: documents,
      bundle: bundleMade ? paths.bundle : null,
      next_steps: nextSteps({ answers, paths, bundleMade }),
    };
  },
  render({ files, bundle, next_steps }, { out, colors }) {
    for (const file of [...files, ...(bundle === null ? [] : [bundle])]) out(`wrote ${file}`);
    out("");
    out("Next:");
    for (const step of next_steps) out(step.startsWith("#") ? colors.dim(`  ${step}`) : `  ${step}`);
  },
});

function regionOf({ region }: InitOptions, { env }: CommandContext): string {
  const given = region ?? env.AWS_REGION;
  if (given) return given;
  throw new CliError(
    "USAGE",
    "--region is missing",
    { flag: "--region" },
    { remedy: "name the AWS region the keys are in, e.g. --region us-east-1, or set AWS_REGION" },
  );
}

async function requireFree(paths: readonly string[]): Promise<void> {
  const there: string[] = [];
  for (const path of paths) {
    await lstat(path).then(
      () => void there.push(path),
      () => {},
    );
  }
  if (there.length === 0) return;
  throw new CliError(
    "DOCUMENT_REFUSED",
    "nothing was written: these files are there already",
    { path: "", problems: there },
    { remedy: "choose another --dir, or replace them with --force" },
  );
}
