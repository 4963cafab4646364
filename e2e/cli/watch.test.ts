import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryBackend } from "@basil/backend-conformance";
import { type Broker, createBroker } from "@basil/broker";
import { parseCatalog } from "@basil/catalog";
import { connect } from "@basil/client";
import { parsePolicy } from "@basil/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { program } from "./typed.js";

const KEY = "app.signing";
const CATALOG = {
  schemaVersion: 1,
  backends: { store: { kind: "memory", addr: "", engines: ["transit"], mintKeyTypes: ["ed25519"] } },
  keys: {
    [KEY]: {
      ...{ class: "asymmetric", keyType: "ed25519", backend: "store", engine: "transit", path: KEY },
      ...{ writable: true, missing: "generate", description: "is rotated" },
    },
  },
};
const POLICY = policyOfMe(
  { id: "key", subjects: ["me"], action: ["*"], target: [KEY] },
  { id: "watch", subjects: ["me"], action: ["op:watch"], target: ["broker.watch"] },
);

let folder: string;
let socket: string;
let broker: Broker;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-watch-"));
  socket = join(folder, "s");
  broker = await createBroker({
    catalog: parseCatalog(JSON.stringify(CATALOG), { kinds: ["memory"] }),
    policy: parsePolicy(JSON.stringify(POLICY)),
    backends: [memoryBackend({ id: "store" })],
  });
  await broker.listen({ path: socket });
});
afterAll(async () => {
  await broker?.close(0);
  await rm(folder, { recursive: true });
});

/** Runs `basil watch` while the key is rotated again and again; `read` is given all that was printed so far. */
async function watched(flags: readonly string[], read?: (stdout: string, interrupt: () => void) => void) {
  await using client = await connect(socket);
  const child = spawn(process.execPath, [program, "watch", ...flags], {
    env: { PATH: process.env.PATH, BASIL_SOCKET: socket },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  if (read === undefined) child.stdout.destroy();
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    read?.(stdout, () => child.kill("SIGINT"));
  });
  const closed = once(child, "close");
  while (child.exitCode === null && child.signalCode === null) {
    await client.rotate(KEY);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  await closed;
  return { exitCode: child.exitCode, signal: child.signalCode, stdout, stderr };
}

describe("basil watch", () => {
  it("prints one line an event, as JSON when it is asked for", async () => {
    const answer = await watched(["--json"], (stdout, interrupt) => {
      if (stdout.split("\n").length > 2) interrupt();
    });
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    for (const event of answer.stdout.trimEnd().split("\n")) {
      expect(JSON.parse(event)).toMatchObject({ kind: "key_rotated", key_id: KEY });
    }
  });

  it("ends by itself when nobody reads any more", async () => {
    const { stdout, ...answer } = await watched([]);
    expect(answer).toEqual({ exitCode: 1, signal: null, stderr: "" });
  });
});
