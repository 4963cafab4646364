import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { connect } from "@basil/client";

/** The program of this checkout. */
export const OWN_PROGRAM = join(import.meta.dirname, "..", "..", "packages", "cli", "bin", "basil.js");

export interface AgentOptions {
  readonly kms: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string };
  /** A `basil` program: a script of Node if it ends in `.js`. Default: that of this checkout. */
  readonly program?: string;
  /** Further fields of `--backend`, for example `verify=local`. */
  readonly backendFields?: string;
  /** Lines at the end of agent.toml. */
  readonly configuration?: string;
}

export interface Agent extends AsyncDisposable {
  readonly pid: number;
  readonly socket: string;
  /** Milliseconds from the start of its process to the first answer. */
  readonly startedInMs: number;
}

/**
 * An agent in a process of its own, with an audit log and a passphrase slot, and three keys: `bench.key`, a P-256 one,
 * `bench.aead`, and `other.key`, which no rule allows.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { kms, program = OWN_PROGRAM, backendFields, configuration = "" } = options;
  const [file, ...prefix] = program.endsWith(".js") ? [process.execPath, program] : [program];
  const folder = await mkdtemp(join(tmpdir(), "basil-bench-"));
  const at = (name: string): string => join(folder, name);
  const backends = { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } };
  const key = {
    class: "asymmetric",
    keyType: "ecdsa-p256",
    backend: "kms",
    path: "alias/basil/bench",
    writable: false,
    description: "measured",
  };
  const aead = { ...key, class: "symmetric", keyType: "aes-256-gcm", path: "alias/basil/bench-aead" };
  const keys = { "bench.key": key, "bench.aead": aead, "other.key": { ...key, path: "alias/basil/other" } };
  await writeFile(at("catalog.json"), JSON.stringify({ schemaVersion: 1, backends, keys }));
  const me = { allOf: [{ kind: "unix", uid: process.geteuid?.() ?? 0 }] };
  const action = ["op:sign", "op:encrypt", "op:decrypt"];
  const rule = { id: "use", subjects: ["me"], action, target: ["bench.*"] };
  await writeFile(at("policy.json"), JSON.stringify({ schemaVersion: 2, subjects: { me }, rules: [rule] }));
  await writeFile(at("pass"), "measured\n", { mode: 0o600 });
  await writeFile(
    at("agent.toml"),
    `audit-log = "${at("audit.jsonl")}"\n[unlock]\nunlock-passphrase-file = "${at("pass")}"\n${configuration}`,
  );
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
    AWS_ACCESS_KEY_ID: kms.accessKeyId,
    AWS_SECRET_ACCESS_KEY: kms.secretAccessKey,
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
  };
  const backend = `id=kms,type=aws-kms,region=us-east-1${backendFields === undefined ? "" : `,${backendFields}`}`;
  const slot = `passphrase:file=${at("pass")}`;
  const create = ["bundle", "create", at("creds.sealed"), "--slot", slot, "--backend", backend];
  await promisify(execFile)(file as string, [...prefix, ...create], { env });
  const documents = ["--catalog", at("catalog.json"), "--policy", at("policy.json"), "--bundle", at("creds.sealed")];
  const socket = at("basil.sock");
  const startedAt = performance.now();
  const agent = spawn(
    file as string,
    [...prefix, "agent", "--config", at("agent.toml"), ...documents, "--socket", socket],
    { env, stdio: ["ignore", "pipe", "pipe"] },
  );
  let log = "";
  for (const stream of [agent.stdout, agent.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      log = (log + text).slice(-20_000);
    });
  }
  for (;;) {
    if (agent.exitCode !== null) throw new Error(`the agent ended with ${agent.exitCode}:\n${log}`);
    try {
      await using basil = await connect(socket);
      await basil.health();
      break;
    } catch {
      await sleep(10);
    }
  }
  return {
    pid: agent.pid as number,
    socket,
    startedInMs: performance.now() - startedAt,
    async [Symbol.asyncDispose]() {
      agent.kill("SIGTERM");
      if (agent.exitCode === null) await once(agent, "close");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
