import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startAgent } from "./agent.ts";

export interface Deployment extends AsyncDisposable {
  readonly socket: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** An emulator and an agent, each a process of its own; the keys are those of {@link startAgent}. */
export async function startDeployment(): Promise<Deployment> {
  const emulator = spawn(process.execPath, [join(import.meta.dirname, "emulator-process.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(emulator.stdout), "line")) as [string];
  const kms = JSON.parse(line) as Record<"endpoint" | "accessKeyId" | "secretAccessKey", string>;
  const agent = await startAgent({ kms });
  const { endpoint, ...credentials } = kms;
  return {
    socket: agent.socket,
    endpoint,
    credentials,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      emulator.stdin.end();
      if (emulator.exitCode === null) await once(emulator, "close");
    },
  };
}
