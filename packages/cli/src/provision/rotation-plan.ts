import type { RotationPlan } from "@basil/backend-aws-kms";
import type { KeyEntry } from "@basil/catalog";
import { CliError } from "../cli-error.js";
import type { CommandContext } from "../context.js";
import type { IamStatement } from "../iam/iam-document.js";
import type { PolicyStatement } from "../iam/policy-statement.js";
import type { Terminal } from "../terminal.js";
import { confirm } from "./confirm.js";
import { notCovered } from "./runtime-coverage.js";

const CIPHERS: ReadonlySet<string> = new Set(["kms:Encrypt", "kms:Decrypt"]);

/** What a runtime policy with listed ARNs needs for a key of this class. */
export async function runtimeStatement(arn: string, entry: KeyEntry): Promise<IamStatement> {
  const { awsKmsPermissions } = await import("@basil/backend-aws-kms");
  const symmetric = entry.class === "symmetric";
  const actions = awsKmsPermissions.runtime
    .map(({ action }) => action as string)
    .filter((action) => action === "kms:DescribeKey" || CIPHERS.has(action) === symmetric);
  return { Effect: "Allow", Action: actions, Resource: arn };
}

/** The plan, on standard error: standard output is the report's. */
export function writeRotationPlan(plan: RotationPlan, statement: IamStatement, { err }: Terminal): void {
  const { key, alias, previousArn, arn, version } = plan;
  err(`${key}: version ${version} is made, proved and at ${alias}/v${version}`);
  err(`${alias} is about to move`);
  err(`  from ${previousArn}`);
  err(`  to   ${arn}`);
  err("A runtime policy that lists ARNs needs, before that, under Resource:");
  err(`  ${plan.policyResource}`);
  err(`with ${[statement.Action].flat().join(", ")}.`);
}

interface ConsentOptions {
  /** The daemon's policy, and the file it was read from. */
  readonly policy?: { readonly file: string; readonly statements: readonly PolicyStatement[] };
  readonly yes: boolean;
}

/**
 * Nothing is asked when the runtime policy covers the new key, or with `--yes`.
 *
 * @throws {@link CliError} `FAILED` when the policy does not cover it and nobody can be asked; as {@link confirm}.
 */
export async function consent(
  plan: RotationPlan,
  statement: IamStatement,
  { policy, yes }: ConsentOptions,
  context: CommandContext,
): Promise<void> {
  const { alias, previousArn, arn, version } = plan;
  const unchanged = `${alias} stays where it is, and ${arn} at ${alias}/v${version}`;
  if (policy !== undefined) {
    const missing = notCovered(
      policy.statements,
      [statement.Action].flat(),
      { arn: previousArn, aliases: [alias] },
      { arn, aliases: [alias, `${alias}/v${version}`] },
    );
    if (missing.length === 0) return;
    const lacking = `${policy.file} does not allow ${missing.join(", ")} on ${arn}`;
    if (!yes && context.stdin.isTTY !== true) {
      throw new CliError(
        "FAILED",
        `${lacking}; ${unchanged}`,
        { reason: "RUNTIME_POLICY" },
        { remedy: "add the statement that --prepare prints, attach the policy, and run it again; or give --yes" },
      );
    }
    context.terminal.err(`${context.terminal.errColors.yellow("warning:")} ${lacking}`);
  }
  if (!yes) await confirm("Move the alias?", unchanged, context);
}
