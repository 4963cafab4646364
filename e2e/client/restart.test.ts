import { connect } from "@basil/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { SEED_KEYS } from "../seed-keys.js";
import { Stack, seed } from "../stack.js";

const KEY = "jwt.signing.primary";
const message = new TextEncoder().encode("signed before and after");

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({
    catalog: await seed.text("catalog.json"),
    policy: policyOfMe({ id: "signs", subjects: ["me"], action: ["op:sign", "op:verify"], target: [KEY] }),
    emulator: { keys: SEED_KEYS },
  });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

describe("a client whose broker is started again", () => {
  it.for(["SIGTERM", "SIGKILL"] as const)("has its next call answered, after %s", async (signal) => {
    const first = await stack.startAgent();
    await using client = await connect(stack.socket);
    expect(await client.verify(KEY, message, await client.sign(KEY, message))).toBe(true);
    await first.stop(signal);
    await using second = await stack.startAgent();
    expect(await client.verify(KEY, message, await client.sign(KEY, message)), second.log()).toBe(true);
  });

  it("is told UNREACHABLE at once while there is none, and answered within seconds of its return", async () => {
    const first = await stack.startAgent();
    await using client = await connect(stack.socket);
    await client.sign(KEY, message);
    await first.stop();
    await expect(client.sign(KEY, message)).rejects.toMatchObject({ code: "UNREACHABLE", retryable: true });
    await using second = await stack.startAgent();
    const signed = () => client.sign(KEY, message).catch(({ code }: { code: string }) => code);
    await expect.poll(signed, { timeout: 5000 }).toBeInstanceOf(Uint8Array);
    expect(second.process.exitCode).toBeNull();
  });
});
