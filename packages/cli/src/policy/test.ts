import {
  type Explanation,
  PolicyError,
  type PolicyTestCase,
  type PolicyTestReport,
  parsePolicyTests,
  runPolicyTests,
} from "@basil/policy";
import { type DocumentOptions, declareDocuments } from "../catalog/document-options.js";
import { refusalsAsJson } from "../catalog/refusals-as-json.js";
import { writeSafeTable } from "../catalog/safe-table.js";
import { defineCommand } from "../command.js";
import { resolveSettings } from "../config/agent-settings.js";
import { readDocument } from "../config/read-document.js";
import { documentRefused, loadDocuments } from "../documents.js";
import { EXIT } from "../exit-code.js";
import { nonEmpty } from "../option-values.js";

export const test = defineCommand<DocumentOptions, PolicyTestReport>({
  name: "test",
  summary: "hold a policy against a table of who may do what; exit 1 when an answer is not as expected",
  examples: [
    "basil policy test cases.json --catalog catalog.json --policy policy.json",
    "basil policy test cases.json -c agent.toml --json",
  ],
  declare(command) {
    declareDocuments(command.argument("<cases>", "the table, a JSON file", nonEmpty), "catalog", "policy");
  },
  async run({ options, operands }, context) {
    const settings = await resolveSettings(options, context);
    const [path = ""] = operands;
    const { policy, catalog, cases } = await refusalsAsJson(options, context, async () => ({
      cases: await loadCases(path, context.cwd),
      ...(await loadDocuments(settings, context.cwd)),
    }));
    const report = runPolicyTests(policy, catalog, cases);
    if (report.results.length === 0) context.terminal.err(`warning: ${path} asks nothing`);
    return report;
  },
  render({ passed, failed, results }, terminal) {
    writeSafeTable(
      ["RESULT", "CASE", "SUBJECT", "OP", "KEY", "ANSWER", "PROBLEM"],
      results.map(({ name, pass, got, problem }) => [
        pass ? "pass" : "FAIL",
        name,
        got.subject ?? "-",
        got.op,
        got.key,
        answerOf(got),
        problem ?? "-",
      ]),
      terminal,
    );
    terminal.out(`${passed} passed, ${failed} failed`);
  },
  jsonStyle: "document",
  exitCode: ({ failed }) => (failed > 0 ? EXIT.no : EXIT.done),
});

async function loadCases(path: string, cwd: string): Promise<PolicyTestCase[]> {
  const bytes = await readDocument(path, "table of cases", cwd);
  try {
    return parsePolicyTests(bytes);
  } catch (error) {
    throw error instanceof PolicyError ? documentRefused("table of cases", path, error) : error;
  }
}

function answerOf({ decision, via, matched_rule, reason }: Explanation): string {
  if (decision === "deny") return `deny ${reason}`;
  return matched_rule == null ? `allow ${via}` : `allow ${via} [${matched_rule.rule}]`;
}
