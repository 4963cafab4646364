import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { connect } from "@basil/client";

const program = join(import.meta.dirname, "..", "..", "packages", "cli", "bin", "basil.js");

export interface Deployment extends AsyncDisposable {
  readonly socket: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** An emulator and an agent, each a process of its own, with two keys: `bench.key`, a P-256 one, and `bench.aead`. */
export async function startDeployment(): Promise<Deployment> {
  const folder = await mkdtemp(join(tmpdir(), "basil-bench-"));
  const emulator = spawn(process.execPath, [join(import.meta.dirname, "emulator-process.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(emulator.stdout), "line")) as [string];
  const { endpoint, accessKeyId, secretAccessKey } = JSON.parse(line) as Record<
    "endpoint" | "accessKeyId" | "secretAccessKey",
    string
  >;
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
  await writeFile(
    at("catalog.json"),
    JSON.stringify({ schemaVersion: 1, backends, keys: { "bench.key": key, "bench.aead": aead } }),
  );
  const me = { allOf: [{ kind: "unix", uid: process.geteuid?.() ?? 0 }] };
  const action = ["op:sign", "op:encrypt", "op:decrypt"];
  const rule = { id: "use", subjects: ["me"], action, target: ["bench.*"] };
  await writeFile(at("policy.json"), JSON.stringify({ schemaVersion: 2, subjects: { me }, rules: [rule] }));
  await writeFile(at("pass"), "measured\n", { mode: 0o600 });
  await writeFile(
    at("agent.toml"),
    `audit-log = "${at("audit.jsonl")}"\n[unlock]\nunlock-passphrase-file = "${at("pass")}"\n`,
  );
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    AWS_ENDPOINT_URL_KMS: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
  const bundle = ["--slot", `passphrase:file=${at("pass")}`, "--backend", "id=kms,type=aws-kms,region=us-east-1"];
  await promisify(execFile)(process.execPath, [program, "bundle", "create", at("creds.sealed"), ...bundle], { env });
  const documents = ["--catalog", at("catalog.json"), "--policy", at("policy.json"), "--bundle", at("creds.sealed")];
  const socket = at("basil.sock");
  const agent = spawn(
    process.execPath,
    [program, "agent", "--config", at("agent.toml"), ...documents, "--socket", socket],
    { env, stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  agent.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-20_000);
  });
  for (;;) {
    if (agent.exitCode !== null) throw new Error(`the agent ended with ${agent.exitCode}:\n${log}`);
    try {
      await using basil = await connect(socket);
      await basil.health();
      break;
    } catch {
      await sleep(50);
    }
  }
  return {
    socket,
    endpoint,
    credentials: { accessKeyId, secretAccessKey },
    async [Symbol.asyncDispose]() {
      agent.kill("SIGTERM");
      if (agent.exitCode === null) await once(agent, "close");
      emulator.stdin.end();
      if (emulator.exitCode === null) await once(emulator, "close");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
