import type { Backend, ReconciledKey } from "@basil/core";
import { type DocumentOptions, declareDocuments } from "../catalog/document-options.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { resolveSettings } from "../config/agent-settings.js";
import { loadCatalog } from "../documents.js";
import { repeated } from "../option-values.js";
import { kmsKeys } from "./catalog-keys.js";
import { confirm } from "./confirm.js";
import { createdKeys, type ProvisionReport } from "./created-keys.js";
import { declareJournal, declareKms, type KmsFlags } from "./kms-flags.js";
import { kmsOptions } from "./kms-options.js";
import { requireCreatable, writePlan } from "./plan.js";

interface CreateOptions extends DocumentOptions, KmsFlags {
  readonly keyId?: readonly string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export const create = defineCommand<CreateOptions, ProvisionReport>({
  name: "create",
  isDefault: true,
  summary: "create the keys of the catalog that are not there, and print the ARNs of all as JSON",
  strayOperand: "--key-id",
  examples: [
    "basil provision --catalog catalog.json --region us-east-1",
    "basil provision --catalog catalog.json --region us-east-1 --profile provisioner --yes > keys.json",
    "basil provision --catalog catalog.json --region us-east-1 --key-id jwt.signing.primary --dry-run",
  ],
  declare(command) {
    declareDocuments(command, "catalog");
    declareKms(command);
    declareJournal(command);
    command
      .option("--key-id <name>", "only this key; may be repeated (default: every key on aws-kms)", repeated)
      .option("--dry-run", "print the plan and create nothing")
      .option("--yes", "create without asking");
  },
  async run({ options }, context) {
    using _ = context.terminal.working("asking KMS");
    const settings = await resolveSettings(options, context);
    const catalog = await loadCatalog(settings, context.cwd);
    const entries = kmsKeys(catalog, options.keyId, "--key-id");
    await using opened = new AsyncDisposableStack();
    const backends = new Map<string, Backend>();
    for (const id of new Set(entries.map(({ backend }) => backend))) {
      const kms = await kmsOptions(id, options, { settings, catalog }, context);
      const { awsKms } = await import("@basil/backend-aws-kms");
      backends.set(id, opened.use(awsKms(kms)));
    }
    const { reconcile, renderReconciledKey } = await import("@basil/core");
    // Whatever `missing` says: that is for a start of the daemon, and this job is told to create.
    const keys = new Map(entries.map((entry) => [entry.name, { ...entry, missing: "generate" as const }]));
    const job = {
      catalog: { ...catalog, keys },
      backends,
      context: { signal: context.signal, requestId: `provision:${context.pid}` },
    };
    const plan = await reconcile({ ...job, dryRun: true });
    if (context.signal.aborted) throw new CliError("DEADLINE", "interrupted; nothing was created", {});
    await requireCreatable(plan);
    const { pending } = plan.counts;
    await writePlan(plan, context.terminal);
    if (options.dryRun || pending === 0) return createdKeys(plan);
    const question = `Create ${pending === 1 ? "this key" : `these ${pending} keys`}?`;
    if (!options.yes) await confirm(question, "nothing was created", context);
    const { err, errColors } = context.terminal;
    const told = (key: ReconciledKey): void => {
      if (key.outcome === "generated") err(`created ${key.key} as ${key.resource}`);
      else err(`${errColors.red("error:")} ${renderReconciledKey(key)}`);
    };
    return createdKeys(
      await reconcile({
        ...job,
        onProgress: ({ pass, key }) => pass === "generate" && key.outcome !== "present" && told(key),
      }),
    );
  },
  render(report, { out }) {
    out(JSON.stringify(report, null, 2));
  },
  jsonStyle: "document",
  exitCode: ({ keys }) => (keys.some(({ error }) => error !== undefined) ? 1 : 0),
});
