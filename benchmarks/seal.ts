// 1 GiB through `basil seal` and `basil open` beside the age program, from a file to nowhere, in turns; memory as it goes;
// and how much of it the cipher takes. The agent and its emulator are processes of their own and are asked once a file.
import { execFileSync, spawn } from "node:child_process";
import { createCipheriv, randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, sealStream } from "@basil/client";
import { startDeployment } from "./harness/deployment.ts";
import { writeResult } from "./harness/result.ts";

const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;
const ROUNDS = 3;
const program = join(import.meta.dirname, "..", "packages", "cli", "bin", "basil.js");

interface Run {
  readonly mibPerSecond: number;
  /** Resident memory every 50 ms, MB (10^6 bytes). */
  readonly rssMb: readonly number[];
}

await using deployment = await startDeployment();
const folder = await mkdtemp(join(tmpdir(), "basil-bench-seal-"));
const at = (name: string): string => join(folder, name);
const environment = { ...process.env, BASIL_SOCKET: deployment.socket };

async function run(words: readonly string[], input: string, output = "/dev/null"): Promise<Run> {
  const [stdin, stdout] = [openSync(input, "r"), openSync(output, "w")];
  const [command = "", ...rest] = words;
  const startedAt = performance.now();
  const child = spawn(command, rest, { env: environment, stdio: [stdin, stdout, "inherit"] });
  const ended = once(child, "exit") as Promise<[number | null]>;
  closeSync(stdin);
  closeSync(stdout);
  const rssMb: number[] = [];
  let running = true;
  const sampling = (async () => {
    while (running) {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
      const kb = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
      if (kb > 0) rssMb.push((kb * 1024) / 1e6);
      await sleep(50);
    }
  })();
  const [code] = await ended;
  const seconds = (performance.now() - startedAt) / 1000;
  running = false;
  await sampling;
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}`);
  return { mibPerSecond: SIZE / MIB / seconds, rssMb };
}

try {
  const plain = await open(at("plain"), "w");
  for (let written = 0; written < SIZE; written += 16 * MIB) await plain.write(randomBytes(16 * MIB));
  await plain.close();
  execFileSync("age-keygen", ["-o", at("identity")], { stdio: "ignore" });
  const recipient = execFileSync("age-keygen", ["-y", at("identity")], { encoding: "utf8" }).trim();
  const commands = {
    seal: [process.execPath, program, "seal", "bench.aead"],
    ageEncrypt: ["age", "--encrypt", "--recipient", recipient],
    open: [process.execPath, program, "open"],
    ageDecrypt: ["age", "--decrypt", "--identity", at("identity")],
  };
  // Made once, warming both up.
  await run(commands.seal, at("plain"), at("sealed"));
  await run(commands.ageEncrypt, at("plain"), at("aged"));
  const runs: Record<keyof typeof commands, Run[]> = { seal: [], ageEncrypt: [], open: [], ageDecrypt: [] };
  for (let round = 0; round < ROUNDS; round++) {
    runs.seal.push(await run(commands.seal, at("plain")));
    runs.ageEncrypt.push(await run(commands.ageEncrypt, at("plain")));
    runs.open.push(await run(commands.open, at("sealed")));
    runs.ageDecrypt.push(await run(commands.ageDecrypt, at("aged")));
  }
  writeResult("seal", {
    unit: "MiB a second",
    bytes: SIZE,
    rounds: ROUNDS,
    age: execFileSync("age", ["--version"], { encoding: "utf8" }).trim(),
    seal: beside(runs.seal, runs.ageEncrypt),
    open: beside(runs.open, runs.ageDecrypt),
    inMemory: { sealStream: await streamRate(), cipherOfNode: cipherRate() },
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}

function beside(basil: readonly Run[], age: readonly Run[]): object {
  const rates = (all: readonly Run[]) => all.map(({ mibPerSecond }) => mibPerSecond);
  const ratios = basil.map((each, round) => each.mibPerSecond / (age[round]?.mibPerSecond ?? Number.NaN));
  return {
    basil: Math.round(median(rates(basil))),
    age: Math.round(median(rates(age))),
    ratio: Math.round(median(ratios) * 1000) / 1000,
    rssMb: {
      max: Math.round(Math.max(...basil.flatMap(({ rssMb }) => rssMb))),
      secondQuarter: Math.round(median(basil.map(({ rssMb }) => quarter(rssMb, 1)))),
      lastQuarter: Math.round(median(basil.map(({ rssMb }) => quarter(rssMb, 3)))),
      age: Math.round(Math.max(...age.flatMap(({ rssMb }) => rssMb))),
    },
  };
}

function quarter(samples: readonly number[], index: number): number {
  const part = samples.slice(Math.floor((samples.length * index) / 4), Math.floor((samples.length * (index + 1)) / 4));
  return part.reduce((sum, value) => sum + value, 0) / part.length;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The library alone: no file, no second process but for the one call. */
async function streamRate(): Promise<number> {
  await using client = await connect(deployment.socket);
  const chunk = new Uint8Array(64 * 1024);
  const chunks = 256 * 16;
  const startedAt = performance.now();
  const source = (function* () {
    for (let n = 0; n < chunks; n++) yield chunk;
  })();
  for await (const _ of await sealStream(client, "bench.aead", source)) {
    // Read and let go.
  }
  return Math.round((chunks * chunk.length) / MIB / ((performance.now() - startedAt) / 1000));
}

/** The same cipher by OpenSSL, on chunks of the same size: what the machine could do on one core. */
function cipherRate(): number {
  const [key, nonce, chunk] = [randomBytes(32), randomBytes(12), new Uint8Array(64 * 1024)];
  const chunks = 1024 * 16;
  const startedAt = performance.now();
  for (let n = 0; n < chunks; n++) {
    const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
    cipher.update(chunk);
    cipher.final();
    cipher.getAuthTag();
  }
  return Math.round((chunks * chunk.length) / MIB / ((performance.now() - startedAt) / 1000));
}
