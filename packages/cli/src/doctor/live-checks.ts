import type { Catalog, KeyEntry } from "@basil/catalog";
import type { Policy } from "@basil/policy";
import { readUnlockInputs } from "../agent/unlock-inputs.js";
import { loadPlugin } from "../backend-kinds.js";
import { CliError } from "../cli-error.js";
import { type AgentSettings, requiredPath } from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import { loadDocuments } from "../documents.js";
import { neededActions } from "../iam/runtime-policy.js";
import { type Check, fatal, ok } from "./check.js";
import { lastUsedResources } from "./last-used.js";
import { liveRows } from "./live-rows.js";

const NAME = "live";
const KIND = "aws-kms";

/**
 * Opens the bundle and asks AWS, as the identity of each backend, who that is, and about its keys and what may be done with
 * them: one row for the identity, one for each key, one for each thing wrong. Nothing is made, used, wiped or written.
 */
export async function checkLive(settings: AgentSettings, context: CommandContext): Promise<Check[]> {
  try {
    return await ask(settings, context);
  } catch (error) {
    if (context.signal.aborted)
      throw new CliError("DEADLINE", "interrupted; nothing was changed", {}, { cause: error });
    const why = error instanceof Error ? error.message : String(error);
    const remedy = error instanceof CliError ? error.remedy : undefined;
    return [fatal(NAME, `AWS cannot be asked: ${why}`, remedy ?? "correct the rows above and what the message names")];
  }
}

async function ask(settings: AgentSettings, context: CommandContext): Promise<Check[]> {
  const { catalog, policy } = await loadDocuments(settings, context.cwd);
  const ids = [...catalog.backends.values()].filter(({ kind }) => kind === KIND).map(({ name }) => name);
  if (ids.length === 0) return [ok(NAME, "no aws-kms backend is declared, so AWS is not asked")];
  await loadPlugin(KIND);
  const { openBundle } = await import("@basil/bundle");
  using unlock = await readUnlockInputs(settings.config, context.cwd);
  await using bundle = await openBundle(requiredPath(settings, "bundle"), {
    unlock: unlock.providers,
    signal: context.signal,
  });
  const lastUsed = await lastUsedResources(settings.config["audit-log"], context.cwd);
  const slotKey = settings.config.unlock["unlock-aws-kms-key"];
  const rows: Check[] = [];
  for (const id of ids) {
    const sealed = bundle.backends.get(id);
    if (sealed?.kind === KIND) {
      rows.push(...(await askAs({ id, catalog, policy, lastUsed, slotKey }, sealed.credential, context)));
    } else {
      const found = sealed === undefined ? "none" : `one of kind "${sealed.kind}"`;
      const remedy = `seal one: basil bundle set-backend BUNDLE --backend id=${id},type=${KIND},region=REGION`;
      rows.push(fatal(`${NAME}:${id}`, `the bundle has ${found} for backend "${id}"`, remedy));
    }
  }
  return rows;
}

interface Subject {
  readonly id: string;
  readonly catalog: Catalog;
  readonly policy: Policy;
  readonly lastUsed: ReadonlyMap<string, string>;
  /** The KMS key that opens the bundle, which the agent decrypts with whatever the policy says. */
  readonly slotKey: string | undefined;
}

async function askAs(subject: Subject, credential: unknown, context: CommandContext): Promise<Check[]> {
  const { id, catalog, policy, lastUsed, slotKey } = subject;
  const { awsKmsCredentialSchema, awsKmsOptionsOf, checkAwsKms } = await import("@basil/backend-aws-kms");
  const { keyRef } = await import("@basil/core");
  const { decide } = await import("@basil/policy");
  const options = { id, ...awsKmsOptionsOf(awsKmsCredentialSchema.parse(credential)) };
  const entries = [...catalog.keys.values()].filter(({ backend }) => backend === id);
  const keyOf = (entry: KeyEntry) => {
    const opens = slotKey !== undefined && entry.path === slotKey ? ["kms:Decrypt"] : [];
    const lastArn = lastUsed.get(entry.name);
    const { inUse, onOthers } = neededActions(entry, catalog, policy, decide);
    return {
      key: keyRef(entry),
      needs: [...inUse, ...opens],
      versionNeeds: [...onOthers],
      ...(lastArn !== undefined && { lastArn }),
    };
  };
  let asked = 0;
  using _ = context.terminal.working(() => `asking AWS about ${asked} of ${entries.length} keys of ${id}`);
  const report = await checkAwsKms(options, entries.map(keyOf), {
    signal: context.signal,
    onProgress: (done) => {
      asked = done;
    },
  });
  return liveRows(id, report, entries);
}
