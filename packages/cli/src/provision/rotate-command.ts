import type { AwsKmsRotator, RotationPlan } from "@basil/backend-aws-kms";
import { Option } from "commander";
import { type DocumentOptions, declareDocuments } from "../catalog/document-options.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { resolveSettings } from "../config/agent-settings.js";
import { loadCatalog } from "../documents.js";
import type { IamStatement } from "../iam/iam-document.js";
import { readPolicy } from "../iam/read-policy.js";
import { nonEmpty } from "../option-values.js";
import { backendFailure } from "./backend-failure.js";
import { kmsKeys } from "./catalog-keys.js";
import { declareJournal, declareKms, type KmsFlags } from "./kms-flags.js";
import { kmsOptions } from "./kms-options.js";
import { consent, runtimeStatement, writeRotationPlan } from "./rotation-plan.js";

interface RotateOptions extends DocumentOptions, KmsFlags {
  readonly prepare?: boolean;
  readonly commit?: boolean;
  readonly runtimePolicy?: string;
  readonly yes?: boolean;
}

interface RotationReport {
  readonly key: string;
  readonly step: "prepared" | "committed";
  readonly alias: string;
  readonly version: number;
  readonly version_alias: string;
  readonly arn: string;
  readonly previous_arn: string;
  /** What a runtime policy with listed ARNs has to allow before `--commit`. */
  readonly runtime_statement: IamStatement;
}

export const rotate = defineCommand<RotateOptions, RotationReport>({
  name: "rotate",
  summary: "give a key a new version: prepare it, then move the alias; both at once when neither is named",
  examples: [
    "basil provision rotate jwt.signing.primary --prepare --catalog catalog.json --region us-east-1",
    "basil provision rotate jwt.signing.primary --commit --catalog catalog.json --region us-east-1 --runtime-policy basil-kms-runtime.json",
    "basil provision rotate payload.aead --catalog catalog.json --region us-east-1",
  ],
  declare(command) {
    command
      .argument("<key>", "the name in the catalog", nonEmpty)
      .addOption(new Option("--prepare", "make and check the new key, and leave the alias").conflicts("commit"))
      .option("--commit", "move the alias to the key that was prepared")
      .option(
        "--runtime-policy <file>",
        "the daemon's IAM policy; when it covers the new key nobody is asked",
        nonEmpty,
      )
      .option("--yes", "move the alias without asking");
    declareDocuments(command, "catalog");
    declareKms(command);
    declareJournal(command);
  },
  async run({ options, operands }, context) {
    using _ = context.terminal.working("asking KMS");
    const settings = await resolveSettings(options, context);
    const catalog = await loadCatalog(settings, context.cwd);
    const [entry] = kmsKeys(catalog, operands, "<key>");
    if (entry === undefined) throw new TypeError("no key");
    const kms = await kmsOptions(entry.backend, options, { settings, catalog }, context);
    // Whatever is wrong with the flags is told before a key is made.
    const { runtimePolicy, yes = false } = options;
    const allowed =
      runtimePolicy === undefined ? undefined : await readPolicy(runtimePolicy, "runtime policy", context.cwd);
    if (!options.prepare && !options.commit && !yes && !allowed && context.stdin.isTTY !== true) {
      throw new CliError(
        "USAGE",
        "nobody is there to confirm; nothing was made",
        { flag: "--yes" },
        { remedy: "give --prepare and --commit in turn, or --runtime-policy FILE, or --yes" },
      );
    }
    const { awsKmsRotator } = await import("@basil/backend-aws-kms");
    const { isBackendError, keyRef } = await import("@basil/core");
    await using rotator = awsKmsRotator(kms);
    const call = { signal: context.signal, requestId: `provision:${context.pid}` };
    const key = keyRef(entry);
    try {
      const plan = options.commit ? await prepared(rotator, key, call) : await rotator.prepare(key, call);
      const report = reportOf(plan, await runtimeStatement(plan.arn, entry));
      if (options.prepare) return { ...report, step: "prepared" };
      writeRotationPlan(plan, report.runtime_statement, context.terminal);
      const policy = allowed && { file: runtimePolicy ?? "", statements: allowed };
      await consent(plan, report.runtime_statement, { yes, ...(policy && { policy }) }, context);
      await rotator.commit(key, call);
      return { ...report, step: "committed" };
    } catch (error) {
      throw isBackendError(error) ? backendFailure(error, "rotator") : error;
    }
  },
  render(report, { out }) {
    out(JSON.stringify(report, null, 2));
  },
  jsonStyle: "document",
});

async function prepared(
  rotator: AwsKmsRotator,
  key: Parameters<AwsKmsRotator["prepared"]>[0],
  call: Parameters<AwsKmsRotator["prepared"]>[1],
): Promise<RotationPlan> {
  const plan = await rotator.prepared(key, call);
  if (plan !== undefined) return plan;
  throw new CliError(
    "FAILED",
    `no new version of key "${key.name}" is prepared`,
    {},
    { remedy: "run it with --prepare in place of --commit first" },
  );
}

function reportOf(plan: RotationPlan, statement: IamStatement): Omit<RotationReport, "step"> {
  const { key, alias, version, arn, previousArn } = plan;
  const version_alias = `${alias}/v${version}`;
  return { key, alias, version, version_alias, arn, previous_arn: previousArn, runtime_statement: statement };
}
