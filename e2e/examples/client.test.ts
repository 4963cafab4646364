import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { verifySignature } from "@basil/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.ts";
import { SEED_KEYS } from "../seed-keys.ts";
import { type RunningAgent, Stack, seed } from "../stack.ts";

const program = join(import.meta.dirname, "../../examples/client/sign-file.ts");
let stack: Stack;
let agent: RunningAgent;
beforeAll(async () => {
  stack = await Stack.start({
    catalog: await seed.text("catalog.json"),
    policy: policyOfMe({ id: "signs", subjects: ["me"], action: ["op:sign", "op:get_public_key"], target: ["jwt.**"] }),
    emulator: { keys: SEED_KEYS },
  });
  agent = await stack.startAgent();
});
afterAll(async () => {
  await agent?.stop();
  await stack?.[Symbol.asyncDispose]();
});

async function signFile(...words: string[]) {
  const child = spawn(process.execPath, [program, ...words], { env: stack.env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: (await ended)[0] as number, stdout, stderr };
}

describe("examples/client", () => {
  it("signs a file, and the signature verifies with the key's public half", async () => {
    const file = join(stack.folder, "release.tar");
    await writeFile(file, "a release");
    expect(await signFile("jwt.signing.primary", file)).toMatchObject({ code: 0, stderr: "" });
    const pem = await stack.basil(["pubkey", "--key-id", "jwt.signing.primary", "--format", "pem"]);
    const publicKey = new Uint8Array(Buffer.from(pem.stdout.replaceAll(/-----.*-----|\s/g, ""), "base64"));
    const [message, signature] = [await readFile(file), await readFile(`${file}.sig`)];
    expect(verifySignature({ keyType: "ecdsa-p256", publicKey, message, signature })).toBe(true);
  });

  it("says UNAUTHORIZED, and which backend does not answer by exit code 75", async () => {
    const file = join(stack.folder, "other");
    await writeFile(file, "text");
    expect(await signFile("no.such.key", file)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^UNAUTHORIZED: /),
    });
    stack.emulator.faults.add({ fault: { kind: "error" }, operation: "Sign", times: Number.POSITIVE_INFINITY });
    expect(await signFile("jwt.signing.primary", file)).toMatchObject({ code: 75 });
  });
});
