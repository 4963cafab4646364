import type { EffectiveGrants, Explanation, Operation } from "@basil/policy";
import { Option } from "commander";
import { declareBroker, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { declareSettings, resolveSettings, type SettingsOptions } from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import { loadDocuments } from "../documents.js";
import { EXIT } from "../exit-code.js";
import { nonEmpty } from "../option-values.js";
import { declarePlugins } from "../plugins/plugin-kinds.js";
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
  /** Makes control characters of a document visible. */
  readonly visible: (text: string) => string;
  /** For people: what is odd about the question. */
  readonly note?: string;
}

/** Writes a verdict of ours, coloured, and behind it what may hold text of a document. */
type WriteLine = (verdict: string, text: string) => void;

export const explain = defineCommand<ExplainOptions, ExplainReport>({
  name: "explain",
  summary: "say why a subject may or may not do something, from the two documents or from the broker",
  examples: [
    "basil explain -c agent.toml --subject web --op sign --key jwt.signing.primary",
    "basil explain -c agent.toml --subject web --effective",
  ],
  declare(command) {
    declareSettings(command);
    declarePlugins(command);
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
    const { readOperation } = await import("../policy/operation.js");
    const operation = op === undefined ? undefined : readOperation(op, "--op");
    const failOnDeny = options.exitCode ?? false;
    const { escapeControls, nearest } = await import("@basil/catalog");
    const report = (answer: ExplainReport["answer"], note?: string): ExplainReport => ({
      answer,
      failOnDeny,
      visible: escapeControls,
      ...(note !== undefined && { note }),
    });
    if (options.live) return report(await askBroker(options, context));
    const policies = await import("@basil/policy");
    const { catalog, policy } = await loadDocuments(await resolveSettings(options, context), context.cwd);
    return report(
      effective || operation === undefined
        ? policies.effectiveGrants(policy, catalog, subject)
        : policies.explain(policy, catalog, subject, operation, key ?? ""),
      noSuchSubject(subject, policy.subjects, nearest),
    );
  },
  render({ answer, visible, note }, { out, colors }) {
    // Names and rule ids are the document's: one that holds a line break must not write a line of ours.
    const line = (verdict: string, text: string): void => out(`${verdict}${visible(text)}`);
    if ("effective" in answer) renderEffective(answer, line, colors);
    else renderExplanation(answer, line, colors);
    if (note !== undefined) line("  ", note);
  },
  json: ({ answer }) => answer,
  jsonStyle: "document",
  exitCode: ({ answer, failOnDeny }) =>
    failOnDeny && "decision" in answer && answer.decision === "deny" ? EXIT.no : EXIT.done,
});

/** Said beside the answer, which is the same as for a subject that nothing is granted to. */
function noSuchSubject(
  subject: string,
  subjects: ReadonlyMap<string, unknown>,
  nearest: (name: string, names: Iterable<string>) => string | undefined,
): string | undefined {
  if (subjects.has(subject)) return undefined;
  const near = nearest(subject, subjects.keys());
  return `the policy has no subject ${subject}${near === undefined ? "" : `; did you mean ${near}?`}`;
}

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

function renderExplanation(answer: Explanation, line: WriteLine, colors: Terminal["colors"]): void {
  const asked = `subject ${answer.subject}  ${answer.op}  ${answer.key}`;
  if (answer.decision === "allow") {
    line(colors.green("ALLOW"), `  ${asked}  (via ${answer.via})`);
    const rule = answer.matched_rule;
    line(
      "  ",
      rule == null
        ? "the key is of class public: no rule is needed"
        : `subject ${rule.subject}, rule ${rule.rule}, action ${rule.action}, target ${rule.target}`,
    );
    return;
  }
  line(colors.red("DENY"), `   ${asked}  (${answer.reason})`);
  line("  ", REASONS[answer.reason ?? ""] ?? "the caller is no subject of the policy");
  for (const { rule, lacks } of answer.near_misses ?? []) line("  ", `rule ${rule} lacks only ${LACKS[lacks]}`);
}

function renderEffective({ subject, effective }: EffectiveGrants, line: WriteLine, colors: Terminal["colors"]): void {
  line("", `effective permissions for subject ${subject}: ${effective.length} grant(s)`);
  for (const { key, op, via, rule } of effective) {
    line(`  ${colors.green("ALLOW")}`, `  ${op}  ${key}  via ${via} [${rule ?? "<public-class>"}]`);
  }
}
