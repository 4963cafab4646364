import { CliError } from "../cli-error.js";
import { fileProblem, writeRemedy } from "../config/read-document.js";
import type { CommandContext } from "../context.js";
import { writeSecretFile } from "../secret-file.js";
import type { InitAnswers } from "./answers.js";
import { askPassphrase, requirePassphraseFile } from "./bundle-passphrase.js";
import { BACKEND, type InitPaths, initCatalog, initConfig, initPolicy } from "./init-documents.js";
import type { Interview } from "./interview.js";
import { PlacedFiles } from "./placed-files.js";

export interface DeployInput {
  readonly answers: Interview;
  readonly paths: InitPaths;
  readonly folder: string;
  /** Somebody is there to type a passphrase. */
  readonly asks: boolean;
  readonly force: boolean;
}

/**
 * Writes the documents and, when that was chosen, the sealed bundle: all of it or nothing.
 *
 * @throws {@link CliError} `FILE`, `DEADLINE` when it was interrupted, and what sealing a bundle throws.
 */
export async function deploy(input: DeployInput, context: CommandContext): Promise<void> {
  const { answers, paths, folder, asks } = input;
  const sealing = answers.unlock === "passphrase";
  const shared = answers.uids.some((uid) => uid !== context.uid);
  const documents = await documentsFor(answers, paths, shared);
  const typed = sealing && asks ? await askPassphrase(paths.passphraseFile, context) : undefined;
  if (sealing && typed === undefined) await requirePassphraseFile(paths.passphraseFile);
  const placed = new PlacedFiles({ replace: input.force });
  try {
    await written(folder, async () => {
      // Others must get through to the socket; what is secret in it is its owner's alone.
      await placed.makeFolder(folder, shared ? 0o711 : 0o700);
      for (const [path, text] of documents) await placed.write(path, text, 0o644);
    });
    if (typed !== undefined) {
      await placed.remember(paths.passphraseFile);
      await writeSecretFile(paths.passphraseFile, typed);
    }
    if (sealing) await seal(input, placed, context);
    if (context.signal.aborted)
      throw new CliError("DEADLINE", "interrupted", {}, { remedy: "nothing was left behind" });
    await placed.keep();
  } catch (error) {
    await placed.undo();
    throw error;
  } finally {
    typed?.fill(0);
  }
}

/** The documents by path; each has been read by what will read it. */
async function documentsFor(answers: InitAnswers, paths: InitPaths, shared: boolean): Promise<Map<string, string>> {
  const { parseCatalog } = await import("@basil/catalog");
  const { parsePolicy } = await import("@basil/policy");
  const { parseAgentConfig } = await import("../config/load-agent-config.js");
  const [catalog, policy, config] = [initCatalog(answers), initPolicy(answers), initConfig(paths, shared)];
  parseCatalog(catalog);
  parsePolicy(policy);
  await parseAgentConfig(new TextEncoder().encode(config), paths.config);
  return new Map([
    [paths.catalog, catalog],
    [paths.policy, policy],
    [paths.config, config],
  ]);
}

async function written(folder: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    throw new CliError(
      "FILE",
      `${folder} cannot be written: ${fileProblem(cause)}`,
      { path: folder },
      { cause, remedy: writeRemedy(cause) },
    );
  }
}

async function seal(
  { answers, paths, force }: DeployInput,
  placed: PlacedFiles,
  { signal, terminal }: CommandContext,
): Promise<void> {
  const { createBundle, isBundleError, passphraseSlot, readSecretFile, trimNewline } = await import("@basil/bundle");
  const { toCliError } = await import("../bundle/bundle-failure.js");
  const { region, profile, endpoint } = answers;
  const credential = {
    region,
    ...(profile !== undefined && { profile }),
    ...(endpoint !== undefined && { endpoint }),
  };
  using _ = terminal.working("sealing the bundle");
  await placed.remember(paths.bundle);
  await placed.remember(`${paths.bundle}.epoch`);
  try {
    const secret = await readSecretFile(paths.passphraseFile);
    try {
      await createBundle(paths.bundle, {
        slots: [{ provider: passphraseSlot(trimNewline(secret)) }],
        backends: [{ id: BACKEND, kind: "aws-kms", credential }],
        force,
        signal,
      });
    } finally {
      secret.fill(0);
    }
  } catch (error) {
    throw isBundleError(error) ? toCliError(error) : error;
  }
}
