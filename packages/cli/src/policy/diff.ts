import { diffPolicies, type PolicyDifference } from "@basil/policy";
import { type DocumentOptions, declareDocuments } from "../catalog/document-options.js";
import { refusalsAsJson } from "../catalog/refusals-as-json.js";
import { writeSafeTable } from "../catalog/safe-table.js";
import { defineCommand } from "../command.js";
import { resolveSettings } from "../config/agent-settings.js";
import { counted } from "../counted.js";
import { loadCatalog, loadPolicyFile } from "../documents.js";
import { EXIT } from "../exit-code.js";
import { nonEmpty } from "../option-values.js";
import type { Terminal } from "../terminal.js";

interface DiffOptions extends DocumentOptions {
  readonly exitCode?: boolean;
}

interface DiffReport {
  readonly same: boolean;
  readonly difference: PolicyDifference;
  readonly failOnDifference: boolean;
}

export const diff = defineCommand<DiffOptions, DiffReport>({
  name: "diff",
  summary: "show what changes in authority between two policies, not how they say it",
  examples: [
    "basil policy diff policy.json policy.new.json --catalog catalog.json",
    "basil policy diff policy.json policy.new.json -c agent.toml --exit-code",
    "basil policy diff policy.json policy.new.json -c agent.toml --json",
  ],
  declare(command) {
    command
      .argument("<old>", "the policy as it is", nonEmpty)
      .argument("<new>", "the policy as it would be", nonEmpty)
      .option("--exit-code", "exit 1 when authority differs");
    declareDocuments(command, "catalog");
  },
  async run({ options, operands }, context) {
    const [before = "", after = ""] = operands;
    const settings = await resolveSettings(options, context);
    const difference = await refusalsAsJson(options, context, async () =>
      diffPolicies(
        await loadPolicyFile(before, context.cwd),
        await loadPolicyFile(after, context.cwd),
        await loadCatalog(settings, context.cwd),
      ),
    );
    return { same: isSame(difference), difference, failOnDifference: options.exitCode ?? false };
  },
  render({ same, difference }, terminal) {
    if (same) terminal.out("no difference in authority");
    else renderDifference(difference, terminal);
  },
  json: ({ same, difference }) => ({ same, ...difference }),
  jsonStyle: "document",
  exitCode: ({ same, failOnDifference }) => (failOnDifference && !same ? EXIT.no : EXIT.done),
});

const GROUPS = { memberships: "config.memberships", kernel: "the kernel" } as const;

function isSame(difference: PolicyDifference): boolean {
  const { subjects, callers, gained, lost, latent, groups, unauthenticated } = difference;
  const changes = [subjects, callers, gained, lost, latent.gained, latent.lost];
  return groups === undefined && unauthenticated === undefined && changes.every(({ length }) => length === 0);
}

function renderDifference(difference: PolicyDifference, terminal: Terminal): void {
  const { subjects, callers, gained, lost, latent, groups, unauthenticated } = difference;
  const grants = (change: string, all: PolicyDifference["gained"]) =>
    all.map(({ subject, op, key, rule }) => [change, subject, op, key, rule ?? "<public-class>"]);
  const later = (change: string, all: PolicyDifference["latent"]["gained"]) =>
    all.map(({ subject, op, target }) => [change, subject, op, target, "<keys to come>"]);
  writeSafeTable(
    ["CHANGE", "SUBJECT", "OP", "KEY", "RULE"],
    [
      ...grants("gained", gained),
      ...grants("lost", lost),
      ...later("gained", latent.gained),
      ...later("lost", latent.lost),
    ],
    terminal,
  );
  writeSafeTable(
    ["WHO", "BEFORE", "AFTER"],
    [
      ...subjects.map(({ subject, before, after }) => [`subject ${subject}`, before ?? "-", after ?? "-"]),
      ...callers.map(({ caller, before, after }) => [`uid ${caller}`, before, after]),
      ...(groups === undefined ? [] : [["groups", GROUPS[groups.before], GROUPS[groups.after]]]),
      ...(unauthenticated === undefined
        ? []
        : [["no peer credentials", unauthenticated.before ?? "-", unauthenticated.after ?? "-"]]),
    ],
    terminal,
  );
  terminal.out(
    `${gained.length} gained, ${lost.length} lost; on keys to come ${latent.gained.length} gained, ${latent.lost.length} lost; ${counted(subjects.length, "subject")} and ${counted(callers.length, "uid")} changed`,
  );
}
