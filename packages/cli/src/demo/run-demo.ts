import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { KmsEmulator } from "@basil/aws-kms-emulator";
import type { CommandContext } from "../context.js";
import {
  agentToml,
  newKeyCatalog,
  policy,
  provisionerIamPolicy,
  provisioningCatalog,
  seedCatalog,
  signingCatalog,
} from "./demo-documents.js";
import { type AccessKey, demoEnvironment, type IdentityName, PROFILES, writeEnvironment } from "./demo-environment.js";
import type { Narrator } from "./narrator.js";
import { proveDeployment, provisionKeys, sealBundle, showDocuments, startAgents } from "./provisioning-chapters.js";
import { denyCalls, denyCreateKey, denyOtherUser, denyWithoutDescribe, NOBODY, showAudit } from "./refusal-chapters.js";
import { type LineResult, ShellSession } from "./shell-session.js";
import { encryptAndDecrypt, makeJwt, signAndVerify, signWithOthers } from "./signing-chapters.js";
import { createStage, type Stage } from "./stage.js";
import { makeWorkdir, type Workdir } from "./workdir.js";

export interface DemoOptions {
  /** An empty folder to work in; a new temporary one without. */
  readonly folder?: string;
  /** Leave everything running after the last chapter, until the context's signal aborts. */
  readonly keep: boolean;
}

/**
 * The whole tour. Whatever happens, what it started is stopped and what it wrote is removed.
 *
 * @returns Every line that was typed, with its answer.
 */
export async function runDemo(
  options: DemoOptions,
  context: CommandContext,
  narrator: Narrator,
): Promise<readonly LineResult[]> {
  await using workdir = await makeWorkdir({
    ...(options.folder !== undefined && { path: options.folder }),
    openToOthers: context.uid === 0,
  });
  const { startKmsEmulator } = await import("@basil/aws-kms-emulator");
  narrator.chapter("An AWS KMS on this machine, with its identities");
  await using emulator = await startKmsEmulator();
  const keys = await makeIdentities(emulator);
  narrator.say(`KMS listens at ${emulator.endpoint}, account ${emulator.account}, region ${emulator.region}.`);
  narrator.say(`Identities: ${PROFILES.provisioner} may create keys, ${PROFILES.runtime} will be allowed to use them.`);
  narrator.say(`Everything is in ${workdir.path}, which is removed at the end.`);
  await writeDocuments(workdir, context);
  await writeEnvironment(workdir, context, emulator, keys);
  const env = demoEnvironment(workdir, context, emulator);
  await using shell = new ShellSession({ cwd: workdir.path, env, signal: context.signal });
  const stage = createStage(shell, narrator);
  try {
    await tour(stage, emulator, workdir, context);
  } catch (error) {
    if (!context.signal.aborted) await tellLogs(workdir, narrator);
    throw error;
  }
  if (options.keep) await keepRunning(workdir, context, narrator);
  narrator.chapter("Cleaned up");
  narrator.say("Agents and KMS are stopped, and the folder is removed.");
  if (!options.keep) narrator.say("To try commands by hand, run: npx basil demo --keep");
  return stage.transcript;
}

async function tour(stage: Stage, emulator: KmsEmulator, workdir: Workdir, context: CommandContext): Promise<void> {
  await provisionKeys(stage);
  await showDocuments(stage, emulator, workdir);
  await sealBundle(stage);
  await proveDeployment(stage);
  await startAgents(stage);
  await signAndVerify(stage);
  await makeJwt(stage, workdir, new Date());
  await signWithOthers(stage);
  await encryptAndDecrypt(stage);
  await denyCalls(stage);
  await denyOtherUser(stage, workdir, context.uid);
  await denyCreateKey(stage);
  await denyWithoutDescribe(stage);
  await showAudit(stage);
}

/** What the agents said last, before the folder with their logs goes. */
async function tellLogs(workdir: Workdir, narrator: Narrator): Promise<void> {
  for (const name of ["provision.log", "agent.log", "signing.log"]) {
    const lines = (await readFile(join(workdir.path, name), "utf8").catch(() => "")).trimEnd().split("\n").slice(-5);
    for (const line of lines) if (line !== "") narrator.say(`${name}: ${line}`);
  }
}

async function makeIdentities(emulator: KmsEmulator): Promise<Record<IdentityName, AccessKey>> {
  const policies = { provisioner: [await provisionerIamPolicy()], runtime: [], withoutDescribe: [] };
  const make = (identity: IdentityName): AccessKey =>
    emulator.principals.createUser({ name: PROFILES[identity], policies: policies[identity] });
  return { provisioner: make("provisioner"), runtime: make("runtime"), withoutDescribe: make("withoutDescribe") };
}

async function writeDocuments(workdir: Workdir, { uid }: CommandContext): Promise<void> {
  const who = workdir.isOpenToOthers ? { socketGroup: `${NOBODY}` } : {};
  const agents = [
    { name: "provision", catalog: "provision.json", policy: "provision-policy.json", bundle: "provision.sealed" },
    { name: "agent", catalog: "catalog.json", policy: "policy.json", bundle: "creds.sealed" },
    { name: "signing", catalog: "signing-catalog.json", policy: "signing-policy.json", bundle: "creds.sealed" },
    { name: "new-key", catalog: "new-key.json", policy: "new-key-policy.json", bundle: "creds.sealed" },
    { name: "without-describe", catalog: "catalog.json", policy: "policy.json", bundle: "creds.sealed" },
  ];
  const catalogs = new Map([
    ["catalog.json", await seedCatalog()],
    ["signing-catalog.json", await signingCatalog()],
    ["provision.json", await provisioningCatalog()],
    ["new-key.json", await newKeyCatalog()],
  ]);
  for (const { name, ...files } of agents) {
    const catalog = catalogs.get(files.catalog) ?? "";
    await workdir.write(`${name}.toml`, agentToml(name, { ...files, ...who }));
    await workdir.write(files.catalog, catalog);
    await workdir.write(files.policy, policy(uid, catalog));
  }
  await workdir.write("passphrase", `${randomBytes(24).toString("base64url")}\n`);
}

async function keepRunning(workdir: Workdir, { signal }: CommandContext, narrator: Narrator): Promise<void> {
  narrator.chapter("Everything keeps running");
  narrator.say("In another shell:");
  narrator.command(`. ${workdir.path}/env.sh`);
  narrator.say("and then any of the commands above, or your own. Ctrl-C here stops everything and removes the folder.");
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
    // A pending promise alone does not keep a process alive; the emulator's socket does.
  });
}
