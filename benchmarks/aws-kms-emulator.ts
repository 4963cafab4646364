// The emulator beside moto's server: Sign on P-256, Encrypt and DescribeKey a second, each server a process of its own, in
// turns. Then the emulator's resident memory after 1,000 keys and 100,000 calls. `ratio` is emulator / moto.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { kmsPeers } from "../e2e/emulator/kms-peers.ts";
import { pythonVenv } from "../e2e/peers/python.ts";
import type { KmsTarget } from "../e2e/peers/signed-kms-request.ts";
import { measureInTurns } from "./harness/in-turns.ts";
import { writeResult } from "./harness/result.ts";
import { signedPost } from "./harness/signed-post.ts";

const inFlight = 16;
const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
const packages = join(import.meta.dirname, "..", "packages", "aws-kms-emulator");

/** The first line of a stream that matches. */
async function lineWith(stream: NodeJS.ReadableStream | null, pattern: RegExp): Promise<RegExpExecArray> {
  if (stream === null) throw new Error("no stream");
  for await (const line of createInterface(stream)) {
    const match = pattern.exec(line);
    if (match !== null) return match;
  }
  throw new Error(`nothing matched ${pattern}`);
}

async function startEmulator(): Promise<{ child: ChildProcess; target: KmsTarget }> {
  const program = join(packages, "bin", "aws-kms-emulator.js");
  const child = spawn(process.execPath, [program, "--port", "0", "--log", "none"], {
    stdio: ["ignore", "inherit", "pipe"],
  });
  const lines = createInterface(child.stderr);
  const target = { endpoint: "", accessKeyId: "", secretAccessKey: "" };
  for await (const line of lines) {
    target.endpoint ||= /listening on ([^,]+),/.exec(line)?.[1] ?? "";
    const keys = /AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+)/.exec(line);
    if (keys !== null)
      return { child, target: { ...target, accessKeyId: keys[1] ?? "", secretAccessKey: keys[2] ?? "" } };
  }
  throw new Error("the emulator did not start");
}

async function startMoto(): Promise<{ child: ChildProcess; target: KmsTarget }> {
  const python = await pythonVenv(kmsPeers);
  const source = [
    "import logging, sys",
    "from moto.server import ThreadedMotoServer",
    "logging.getLogger('werkzeug').disabled = True",
    "server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)",
    "server.start()",
    "print('http://%s:%d' % server.get_host_and_port(), flush=True)",
    "sys.stdin.read()",
  ];
  const child = spawn(python, ["-c", source.join("\n")], { stdio: ["pipe", "pipe", "ignore"] });
  const [endpoint] = await lineWith(child.stdout, /http:\S+/);
  return { child, target: { endpoint, accessKeyId: "any", secretAccessKey: "any" } };
}

const emulator = await startEmulator();
const moto = await startMoto();

async function createKey(target: KmsTarget, input: object): Promise<string> {
  const answer = await signedPost(target, "CreateKey", input, agent)();
  return JSON.parse(Buffer.from(answer).toString()).KeyMetadata.KeyId;
}

/** `VmRSS` in MiB. */
function residentMiB({ pid }: ChildProcess): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kib) / 1024);
}

/** Microseconds of processor time so far, user and system. */
function cpuMicros({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
const message = Buffer.from("a message of ordinary length").toString("base64");
const calls = {
  Sign: async (target: KmsTarget) => {
    const KeyId = await createKey(target, signing);
    return signedPost(target, "Sign", { KeyId, Message: message, SigningAlgorithm: "ECDSA_SHA_256" }, agent);
  },
  Encrypt: async (target: KmsTarget) => {
    const KeyId = await createKey(target, {});
    return signedPost(
      target,
      "Encrypt",
      { KeyId, Plaintext: message, EncryptionContext: { purpose: "benchmark" } },
      agent,
    );
  },
  DescribeKey: async (target: KmsTarget) =>
    signedPost(target, "DescribeKey", { KeyId: await createKey(target, {}) }, agent),
};

async function lanes(count: number, perform: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await perform();
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

/** What a call costs the server, whatever else the machine is doing. */
async function cpuPerCall(server: ChildProcess, perform: () => Promise<unknown>): Promise<number> {
  const calls = 2000;
  const before = cpuMicros(server);
  await lanes(calls, perform);
  return Math.round((cpuMicros(server) - before) / calls);
}

const results: object[] = [];
for (const [operation, prepare] of Object.entries(calls)) {
  const first = { name: "emulator", once: await prepare(emulator.target) };
  const second = { name: "moto", once: await prepare(moto.target) };
  const turns = await measureInTurns(first, second, { inFlight, rounds: 9, calls: 1000 });
  const cpuMicrosPerCall = {
    emulator: await cpuPerCall(emulator.child, first.once),
    moto: await cpuPerCall(moto.child, second.once),
  };
  results.push({ operation, ...turns, cpuMicrosPerCall });
}

await lanes(1000, () => createKey(emulator.target, signing));
const everyKind = await Promise.all(Object.values(calls).map((prepare) => prepare(emulator.target)));
let next = 0;
await lanes(100_000, () => everyKind[next++ % everyKind.length]!());
const memory = { keys: 1000, calls: 100_000, residentMiB: residentMiB(emulator.child) };

agent.destroy();
moto.child.stdin?.end();
emulator.child.kill("SIGTERM");
await Promise.all([once(emulator.child, "exit"), once(moto.child, "exit")]);
writeResult("aws-kms-emulator", { unit: "calls a second", ratioOf: "emulator / moto", results, memory });
