import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { hasPython, pythonVenv } from "../peers/python.js";
import { policyOfMe } from "../policy-of-me.js";
import { SEED_KEYS } from "../seed-keys.js";
import { Stack, seed } from "../stack.js";

const run = promisify(execFile);
const protoFolder = join(import.meta.dirname, "..", "..", "packages", "proto");

const policy = policyOfMe({
  id: "sign",
  subjects: ["me"],
  action: ["op:sign", "op:verify", "op:get_public_key"],
  target: ["jwt.signing.primary"],
});

describe.skipIf(!hasPython())("a Python program with grpcio, on types generated from the .proto", () => {
  let python: string;
  beforeAll(async () => {
    python = await pythonVenv(["grpcio==1.85.1", "grpcio-tools==1.85.1"]);
  }, 240_000);

  it("signs and verifies through the socket, and learns nothing from a refusal", async () => {
    await using stack = await Stack.start({
      catalog: await seed.text("catalog.json"),
      policy,
      emulator: { keys: SEED_KEYS },
    });
    await using agent = await stack.startAgent();
    const program = join(import.meta.dirname, "sign_and_verify.py");
    const { stdout } = await run(python, [program, stack.socket, "jwt.signing.primary", protoFolder]);
    const seen = JSON.parse(stdout) as Record<string, unknown>;
    expect(seen, agent.log()).toMatchObject({
      backend: "aws-kms",
      protocol: 1,
      signature: expect.stringMatching(/^[0-9a-f]{128}$/),
      valid: true,
      validOfAnother: false,
      // SEC1 uncompressed point of P-256.
      publicKey: expect.stringMatching(/^04[0-9a-f]{128}$/),
      keyType: 10,
    });
    expect(seen.unknown).toMatchObject({ code: "PERMISSION_DENIED", message: "not authorized" });
    expect(seen.forbidden).toEqual(seen.unknown);
  });
});
