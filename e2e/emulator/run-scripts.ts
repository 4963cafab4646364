import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Step } from "./scripts.js";

export interface Outcome {
  readonly status: number;
  readonly output?: unknown;
  readonly error?: string;
  readonly message?: string;
}

export interface ScriptResult {
  readonly outcomes: readonly Outcome[];
  /** Texts saved by the steps: ids and ARNs. */
  readonly saved: Readonly<Record<string, string>>;
}

export interface Job {
  /** Absent: the runner starts moto's server and uses that. */
  readonly endpoint?: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly scripts: readonly (readonly Step[])[];
}

/** Settings of the machine must not reach a client under test. */
export const bareEnvironment = {
  PATH: process.env.PATH ?? "",
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  AWS_EC2_METADATA_DISABLED: "true",
};

async function run(
  program: string,
  file: string,
  job: Job | Pick<Job, "scripts">,
  environment: Readonly<Record<string, string>> = {},
): Promise<ScriptResult[]> {
  const env = { ...bareEnvironment, ...environment };
  const child = spawn(program, [fileURLToPath(new URL(file, import.meta.url))], { env });
  child.stdin.end(JSON.stringify(job));
  const exit = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  if (code !== 0) throw new Error(`${file} exited with ${code}:\n${err}`);
  return JSON.parse(out) as ScriptResult[];
}

export function runWithBoto3(python: string, job: Job): Promise<ScriptResult[]> {
  return run(python, "run-script.py", job);
}

export function runWithJsSdk(job: Job): Promise<ScriptResult[]> {
  return run(process.execPath, "run-script.mjs", job);
}

/** The JavaScript SDK with nothing but an environment: endpoint, region and credentials come from its default chain. */
export async function runWithDefaultChain(
  environment: Readonly<Record<string, string>>,
  script: readonly Step[],
): Promise<ScriptResult> {
  const [result] = await run(process.execPath, "run-script.mjs", { scripts: [script] }, environment);
  if (result === undefined) throw new Error("no result");
  return result;
}
