import type { EffectiveGrants, Explanation, Operation } from "@basil/policy";
import { Option } from "commander";
import { declareBroker, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { declareSettings, resolveSettings, type SettingsOptions } from "../config/agent-settings.js";
import { nearestName } from "../config/nearest-name.js";
import type { CommandContext } from "../context.js";
import { loadDocuments } from "../documents.js";
import { EXIT } from "../exit-code.js";
import { nonEmpty } from "../option-values.js";
import type { Terminal } from "../terminal.js";

interface ExplainOptions extends SettingsOptions {
  readonly subject: string;
  readonly op?: string;
  readonly key?: string;
  readonly effective?: boolean;
  readonly exitCode?: boolean;
  readonly live?: boolean;
  readonly timeout?: number;
}

interface ExplainReport {
  readonly answer: Explanation | EffectiveGrants;
  readonly failOnDeny: boolean;
}

export const explain = defineCommand<ExplainOptions, ExplainReport>({
  name: "explain",
  summary: "say why a subject may or may not do something, from the two documents or from the broker",
  examples: [
    "basil explain -c agent.toml --subject web --op sign --key jwt.signing.primary",
    "basil explain -c agent.toml --subject web --effective",
  ],
  declare(command) {
    declareSettings(command);
    command
      .requiredOption("--subject <name>", "the policy's subject", nonEmpty)
      .option("--op <token>", "the operation, e.g. sign", nonEmpty)
      .option("--key <name>", "the key, or broker.reload and alike", nonEmpty)
      .option("--effective", "list everything the subject may do")
      .addOption(
        new Option("--live", "ask the broker what it serves; needs op:explain on broker.explain").conflicts(
          "effective",
        ),
      )
      .option("--exit-code", "exit 1 when the answer is deny");
    declareBroker(command);
  },
  async run({ options }, context) {
    const { subject, op, key, effective = false } = options;
    if (!effective && (op === undefined || key === undefined)) {
      const flag = op === undefined ? "--op" : "--key";
      throw new CliError(
        "USAGE",
        `${flag} is missing`,
        { flag },
        { remedy: `give ${flag}, or --effective for everything the subject may do` },
      );
    }
    const policies = await import("@basil/policy");
    if (op !== undefined && !policies.isOperation(op)) {
      const near = nearestName(op, policies.OPERATIONS);
      throw new CliError(
        "USAGE",
        `--op is ${JSON.stringify(op)}${near === undefined ? "" : `; did you mean ${near}?`}`,
        { flag: "--op" },
        {
          remedy: `allowed: ${policies.OPERATIONS.join(", ")}`,
        },
      );
    }
    if (options.live) return { answer: await askBroker(options, context), failOnDeny: options.exitCode ?? false };
    const { catalog, policy } = await loadDocuments(await resolveSettings(options, context), context.cwd);
    const answer = effective
      ? policies.effectiveGrants(policy, catalog, subject)
      : policies.explain(policy, catalog, subject, op as Operation, key ?? "");
    return { answer, failOnDeny: options.exitCode ?? false };
  },
  render({ answer }, terminal) {
    if ("effective" in answer) renderEffective(answer, terminal);
    else renderExplanation(answer, terminal);
  },
  json: ({ answer }) => answer,
  jsonStyle: "document",
  exitCode: ({ answer, failOnDeny }) =>
    failOnDeny && "decision" in answer && answer.decision === "deny" ? EXIT.no : EXIT.done,
});

async function askBroker(options: ExplainOptions, context: CommandContext): Promise<Explanation> {
  const { subject, op = "", key = "" } = options;
  const answer = await withBroker(options, context, (client, call) => client.explain(subject, op, key, call));
  const { matchedRule, via, reason, decision } = answer;
  const asked = { subject: answer.subject, op: answer.op as Operation, key: answer.key, decision };
  if (decision === "deny") return { ...asked, ...(reason !== undefined && { reason }) };
  return {
    ...asked,
    ...(via !== undefined && { via: via as NonNullable<Explanation["via"]> }),
    matched_rule: matchedRule === undefined ? null : { ...matchedRule, via: matchedRule.via as `subject:${string}` },
  };
}

const REASONS: Readonly<Record<string, string>> = {
  unknown_key: "the catalog has no such key; a caller is told the same as for any denial",
  not_writable: 'the key says "writable": false, which no rule can overrule',
  issuer_raw_sign: "the key issues credentials, and never signs raw bytes",
  not_permitted: "no rule grants it to this subject",
};
const LACKS = { subject: "the subject", op: "the operation", target: "the key" } as const;

function renderExplanation(answer: Explanation, { out, colors }: Terminal): void {
  const asked = `subject ${answer.subject}  ${answer.op}  ${answer.key}`;
  if (answer.decision === "allow") {
    out(`${colors.green("ALLOW")}  ${asked}  (via ${answer.via})`);
    const rule = answer.matched_rule;
    out(
      rule == null
        ? "  the key is of class public: no rule is needed"
        : `  subject ${rule.subject}, rule ${rule.rule}, action ${rule.action}, target ${rule.target}`,
    );
    return;
  }
  out(`${colors.red("DENY")}   ${asked}  (${answer.reason})`);
  out(`  ${REASONS[answer.reason ?? ""] ?? "the caller is no subject of the policy"}`);
  for (const { rule, lacks } of answer.near_misses ?? []) out(`  rule ${rule} lacks only ${LACKS[lacks]}`);
}

function renderEffective({ subject, effective }: EffectiveGrants, { out, colors }: Terminal): void {
  out(`effective permissions for subject ${subject}: ${effective.length} grant(s)`);
  for (const { key, op, via, rule } of effective) {
    out(`  ${colors.green("ALLOW")}  ${op}  ${key}  via ${via} [${rule ?? "<public-class>"}]`);
  }
}
