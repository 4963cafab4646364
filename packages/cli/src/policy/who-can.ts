import { escapeControls, nearest } from "@basil/catalog";
import { adminTarget, whoCan as askWhoCan, isAdminOperation, type Operation, type WhoCan } from "@basil/policy";
import { type DocumentOptions, declareDocuments } from "../catalog/document-options.js";
import { refusalsAsJson } from "../catalog/refusals-as-json.js";
import { writeSafeTable } from "../catalog/safe-table.js";
import { defineCommand } from "../command.js";
import { resolveSettings } from "../config/agent-settings.js";
import { loadDocuments } from "../documents.js";
import { nonEmpty } from "../option-values.js";
import { readOperation } from "./operation.js";

interface WhoCanReport {
  readonly answer: WhoCan;
  /** The key that was probably meant, when there is none of this name. */
  readonly suggestion?: string;
}

export const whoCan = defineCommand<DocumentOptions, WhoCanReport>({
  name: "who-can",
  summary: "list the subjects that may do an operation on a key",
  examples: [
    "basil policy who-can sign jwt.signing.primary --catalog catalog.json --policy policy.json",
    "basil policy who-can reload broker.reload -c agent.toml --json",
  ],
  declare(command) {
    command
      .argument("<op>", "the operation, e.g. sign", nonEmpty)
      .argument("<key>", "the key, or broker.reload and alike", nonEmpty);
    declareDocuments(command, "catalog", "policy");
  },
  async run({ options, operands }, context) {
    const [op = "", key = ""] = operands;
    const operation = readOperation(op, "OP");
    const settings = await resolveSettings(options, context);
    const { policy, catalog } = await refusalsAsJson(options, context, () => loadDocuments(settings, context.cwd));
    const answer = askWhoCan(policy, catalog, operation, key);
    const near = answer.reason === "unknown_key" ? nearest(key, namesFor(operation, catalog.keys.keys())) : undefined;
    return near === undefined ? { answer } : { answer, suggestion: near };
  },
  render({ answer, suggestion }, terminal) {
    const { op, key, subjects, reason } = answer;
    writeSafeTable(
      ["SUBJECT", "MATCHES", "UIDS", "VIA", "RULE"],
      subjects.map(({ subject, matches, uids, via, matched_rule }) => [
        subject,
        matches,
        uids.join(",") || "-",
        via,
        matched_rule?.rule ?? "<public-class>",
      ]),
      terminal,
    );
    if (subjects.length > 0) return;
    const why = reason === undefined ? "no rule grants it" : REASONS[reason];
    const near = suggestion === undefined ? "" : `; did you mean ${suggestion}?`;
    terminal.out(escapeControls(`nobody may ${op} ${key}: ${why}${near}`));
  },
  json: ({ answer }) => answer,
  jsonStyle: "document",
});

const REASONS = {
  unknown_key: "the catalog has no such key",
  not_writable: 'the key says "writable": false, which no rule can overrule',
  issuer_raw_sign: "the key issues credentials, and never signs raw bytes",
} as const satisfies Record<NonNullable<WhoCan["reason"]>, string>;

function namesFor(operation: Operation, keys: Iterable<string>): Iterable<string> {
  return isAdminOperation(operation) ? [adminTarget(operation)] : keys;
}
