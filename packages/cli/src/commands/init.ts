import { lstat, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Option } from "commander";
import { CliError } from "../cli-error.js";
import { defineCommand, type GlobalOptions } from "../command.js";
import { fileProblem } from "../config/read-document.js";
import type { CommandContext } from "../context.js";
import { nonEmpty } from "../option-values.js";

interface InitOptions extends GlobalOptions {
  readonly backend: "aws-kms";
  readonly dir: string;
  readonly region?: string;
  readonly profile?: string;
  readonly unlock?: "passphrase";
  readonly passphraseFile?: string;
  readonly force?: boolean;
}

interface InitReport {
  readonly files: readonly string[];
  readonly bundle: string | null;
  readonly next_steps: readonly string[];
}

export const init = defineCommand<InitOptions, InitReport>({
  name: "init",
  summary: "write a catalog, a policy and a configuration to begin with",
  examples: [
    "basil init --region us-east-1",
    "basil init --region us-east-1 --dir /etc/basil --unlock passphrase --passphrase-file /etc/basil/pass",
  ],
  declare(command) {
    command
      .addOption(new Option("--backend <kind>", "where the keys are").choices(["aws-kms"]).default("aws-kms"))
      .option("--dir <folder>", "where to write; made when it is not there", nonEmpty, "./basil")
      .option("--region <region>", "the AWS region (environment: AWS_REGION)", nonEmpty)
      .option("--profile <name>", "the AWS profile the agent uses", nonEmpty)
      .addOption(new Option("--unlock <method>", "also seal the bundle, to be opened this way").choices(["passphrase"]))
      .option("--passphrase-file <path>", "the passphrase (default: DIR/passphrase)", nonEmpty)
      .option("--force", "replace files that are there");
  },
  async run({ options }, context) {
    const { cwd, env } = context;
    const folder = resolve(cwd, options.dir);
    const at = (name: string): string => join(folder, name);
    const region = await regionOf(options, context);
    const passphraseFile =
      options.passphraseFile === undefined ? at("passphrase") : resolve(cwd, options.passphraseFile);
    const socket = resolve(cwd, options.socket ?? (env.BASIL_SOCKET || at("basil.sock")));
    const paths = {
      catalog: at("catalog.json"),
      policy: at("policy.json"),
      config: at("agent.toml"),
      bundle: at("creds.sealed"),
    };
    const sealing = options.unlock === "passphrase";

    const documents = await documentsFor(region, context.uid, {
      ...paths,
      socket,
      auditLog: at("audit.jsonl"),
      passphraseFile,
    });
    await requireFree(
      [paths.catalog, paths.policy, paths.config, ...(sealing ? [paths.bundle] : [])],
      options.force ?? false,
    );
    if (sealing) await requireReadable(passphraseFile);
    await write(folder, documents);
    if (sealing) await seal(paths.bundle, passphraseFile, region, options);
    const { nextSteps } = await import("../init/next-steps.js");
    const { profile } = options;
    return {
      files: [paths.catalog, paths.policy, paths.config],
      bundle: sealing ? paths.bundle : null,
      next_steps: nextSteps({
        config: paths.config,
        bundle: paths.bundle,
        passphraseFile,
        socket,
        region,
        ...(profile !== undefined && { profile }),
        bundleMade: sealing,
      }),
    };
  },
  render({ files, bundle, next_steps }, { out, colors }) {
    for (const file of [...files, ...(bundle === null ? [] : [bundle])]) out(`wrote ${file}`);
    out("");
    out("Next:");
    for (const step of next_steps) out(step.startsWith("#") ? colors.dim(`  ${step}`) : `  ${step}`);
  },
});

const REGION = /^[a-z]{2}(-[a-z]+)+-\d+$/;

async function regionOf({ region }: InitOptions, context: CommandContext): Promise<string> {
  const given =
    region ??
    (context.env.AWS_REGION || undefined) ??
    (context.stdin.isTTY ? await ask("AWS region", context) : undefined);
  if (given === undefined) {
    throw new CliError(
      "USAGE",
      "--region is missing",
      { flag: "--region" },
      { remedy: "name the AWS region the keys are in, e.g. --region us-east-1" },
    );
  }
  if (REGION.test(given)) return given;
  throw new CliError("USAGE", `--region is ${JSON.stringify(given)}; allowed: a region's name, such as us-east-1`, {
    flag: "--region",
  });
}

/** One line from a person. */
async function ask(what: string, { stdin, signal, terminal }: CommandContext): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const prompt = createInterface({ input: stdin as unknown as NodeJS.ReadableStream });
  try {
    terminal.err(`${what}:`);
    return (await prompt.question("", { signal })).trim();
  } catch (cause) {
    throw new CliError(
      "DEADLINE",
      "interrupted while waiting for an answer",
      {},
      { cause, remedy: "run it again; nothing was written" },
    );
  } finally {
    prompt.close();
  }
}

interface Paths {
  readonly catalog: string;
  readonly policy: string;
  readonly config: string;
  readonly bundle: string;
  readonly socket: string;
  readonly auditLog: string;
  readonly passphraseFile: string;
}

/** The documents by path; each has been read by what will read it. */
async function documentsFor(region: string, uid: number, paths: Paths): Promise<Map<string, string>> {
  const { exampleCatalog, exampleConfig, examplePolicy } = await import("../init/init-documents.js");
  const { parseCatalog } = await import("@basil/catalog");
  const { parsePolicy } = await import("@basil/policy");
  const { parseAgentConfig } = await import("../config/load-agent-config.js");
  const [catalog, policy, config] = [exampleCatalog(region), examplePolicy(uid), exampleConfig(paths)];
  parseCatalog(catalog);
  parsePolicy(policy);
  await parseAgentConfig(new TextEncoder().encode(config), paths.config);
  return new Map([
    [paths.catalog, catalog],
    [paths.policy, policy],
    [paths.config, config],
  ]);
}

async function requireFree(paths: readonly string[], force: boolean): Promise<void> {
  if (force) return;
  const there = [];
  for (const path of paths)
    if (
      await lstat(path).then(
        () => true,
        () => false,
      )
    )
      there.push(path);
  if (there.length === 0) return;
  throw new CliError(
    "DOCUMENT_REFUSED",
    "nothing was written: these files are there already",
    { path: "", problems: there },
    {
      remedy: "choose another --dir, or replace them with --force",
    },
  );
}

async function requireReadable(path: string): Promise<void> {
  await lstat(path).catch((cause: unknown) => {
    throw new CliError(
      "FILE",
      `the passphrase file ${path} cannot be read: ${fileProblem(cause)}`,
      { path },
      {
        cause,
        remedy: "put the passphrase there first, mode 0600",
      },
    );
  });
}

async function write(folder: string, documents: ReadonlyMap<string, string>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const [path, text] of documents) await writeFile(path, text, { mode: 0o644 });
  } catch (cause) {
    throw new CliError(
      "FILE",
      `${folder} cannot be written: ${fileProblem(cause)}`,
      { path: folder },
      { cause, remedy: "check the folder and its permissions" },
    );
  }
}

async function seal(
  bundle: string,
  passphraseFile: string,
  region: string,
  { profile, force = false }: InitOptions,
): Promise<void> {
  const { createBundle, isBundleError, passphraseSlot, readSecretFile, trimNewline } = await import("@basil/bundle");
  const { BACKEND } = await import("../init/init-documents.js");
  const { toCliError } = await import("../bundle/bundle-failure.js");
  const credential = { region, ...(profile !== undefined && { profile }) };
  try {
    const secret = await readSecretFile(passphraseFile);
    try {
      await createBundle(bundle, {
        slots: [{ provider: passphraseSlot(trimNewline(secret)) }],
        backends: [{ id: BACKEND, kind: "aws-kms", credential }],
        force,
      });
    } finally {
      secret.fill(0);
    }
  } catch (error) {
    throw isBundleError(error) ? toCliError(error) : error;
  }
}
