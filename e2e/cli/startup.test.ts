import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { SEED_KEYS } from "../seed-keys.js";
import { type RunningAgent, Stack, seed } from "../stack.js";
import { typed } from "./typed.js";

let stack: Stack;
let agent: RunningAgent;
beforeAll(async () => {
  stack = await Stack.start({
    catalog: await seed.text("catalog.json"),
    policy: policyOfMe({
      id: "use",
      subjects: ["me"],
      action: ["op:sign", "op:get_public_key"],
      target: ["jwt.**"],
    }),
    emulator: { keys: SEED_KEYS },
  });
  agent = await stack.startAgent();
});
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

/** The packages whose modules a line has loaded, as V8's coverage lists them. The line must succeed. */
async function loadedPackages(line: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "basil-startup-"));
  try {
    const { exitCode, stderr } = await typed(line, { env: { ...stack.env, NODE_V8_COVERAGE: folder } });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    const packages = new Set<string>();
    for (const name of await readdir(folder)) {
      const { result } = JSON.parse(await readFile(join(folder, name), "utf8")) as { result: { url: string }[] };
      for (const { url } of result) {
        const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
        const ours = /\/packages\/([^/]+)\/dist\//.exec(url)?.[1];
        if (installed !== undefined) packages.add(installed);
        else if (ours !== undefined) packages.add(`@basil/${ours}`);
      }
    }
    return [...packages].sort();
  } finally {
    await rm(folder, { recursive: true });
  }
}

const TERMINAL = ["@basil/cli", "picocolors"];
const COMMAND_LINE = [...TERMINAL, "commander"];
const CLIENT = [
  ...COMMAND_LINE,
  "@basil/client",
  "@basil/proto",
  "@bufbuild/protobuf",
  "@grpc/grpc-js",
  // Of grpc-js.
  "@js-sdsl/ordered-map",
];
/** Curves, and the schemas that come with the key types. */
const ENCODINGS = [...CLIENT, "@basil/catalog", "@basil/core", "@noble/curves", "@noble/hashes", "zod"];

describe("a command loads only what it uses", () => {
  it.for([
    ["basil --version", TERMINAL],
    ["basil -V", TERMINAL],
    ["basil --help", COMMAND_LINE],
    ["basil sign --help", COMMAND_LINE],
    ["basil health", CLIENT],
    ["basil ready", CLIENT],
    ["basil list", CLIENT],
    ["basil sign --key-id jwt.signing.primary text", CLIENT],
    ["basil sign --key-id jwt.signing.primary --format jws text", CLIENT],
    ["basil sign --key-id jwt.signing.primary --format sshsig --namespace file text", ENCODINGS],
    ["basil pubkey --key-id jwt.signing.primary", ENCODINGS],
    ["basil pubkey --key-id jwt.signing.primary --format raw", CLIENT],
  ] as const)("%s", async ([line, packages]) => {
    expect(await loadedPackages(line)).toEqual([...packages].sort());
  });
});
