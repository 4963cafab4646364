import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface KmsStub extends AsyncDisposable {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Milliseconds before each answer from now on; 0 at first. */
  delay(milliseconds: number): void;
}

export async function startKmsStub(): Promise<KmsStub> {
  const stub = spawn(process.execPath, [join(import.meta.dirname, "kms-stub-process.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(stub.stdout), "line")) as [string];
  const { port } = JSON.parse(line) as { port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    delay: (milliseconds) => void stub.stdin.write(`delay ${milliseconds}\n`),
    async [Symbol.asyncDispose]() {
      stub.stdin.end();
      if (stub.exitCode === null) await once(stub, "close");
    },
  };
}
