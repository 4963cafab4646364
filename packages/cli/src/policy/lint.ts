import { type LintFinding, lintPolicy } from "@basil/policy";
import { type DocumentOptions, declareDocuments } from "../catalog/document-options.js";
import { refusalsAsJson } from "../catalog/refusals-as-json.js";
import { writeSafeTable } from "../catalog/safe-table.js";
import { defineCommand } from "../command.js";
import { resolveSettings } from "../config/agent-settings.js";
import { counted } from "../counted.js";
import { loadDocuments } from "../documents.js";
import { EXIT } from "../exit-code.js";

interface LintOptions extends DocumentOptions {
  readonly strict?: boolean;
}

interface LintReport {
  readonly findings: readonly LintFinding[];
  readonly warnings: number;
  readonly notices: number;
  readonly strict: boolean;
}

export const lint = defineCommand<LintOptions, LintReport>({
  name: "lint",
  summary: "say what a policy that loads may still get wrong; exit 1 when it is refused",
  strayOperand: "--policy",
  examples: [
    "basil policy lint --catalog catalog.json --policy policy.json",
    "basil policy lint -c agent.toml --strict",
    "basil policy lint -c agent.toml --json",
  ],
  declare(command) {
    declareDocuments(command, "catalog", "policy").option("--strict", "exit 1 when there is a warning");
  },
  async run({ options }, context) {
    const settings = await resolveSettings(options, context);
    const { policy, catalog } = await refusalsAsJson(options, context, () => loadDocuments(settings, context.cwd));
    const findings = lintPolicy(policy, catalog);
    const warnings = findings.filter(({ severity }) => severity === "warning").length;
    return { findings, warnings, notices: findings.length - warnings, strict: options.strict ?? false };
  },
  render({ findings, warnings, notices }, terminal) {
    writeSafeTable(
      ["SEVERITY", "CODE", "FINDING"],
      findings.map(({ severity, code, message }) => [severity, code, message]),
      terminal,
    );
    terminal.out(`${counted(warnings, "warning")}, ${counted(notices, "notice")}`);
  },
  json: ({ findings, warnings, notices }) => ({ findings, warnings, notices }),
  jsonStyle: "document",
  exitCode: ({ strict, warnings }) => (strict && warnings > 0 ? EXIT.no : EXIT.done),
});
