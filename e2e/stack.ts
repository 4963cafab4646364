import { execFile } from "node:child_process";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type KmsEmulator,
  type KmsEmulatorOptions,
  startKmsEmulator,
  type UserIdentity,
} from "@basil/aws-kms-emulator";
import { type AgentProcess, type Ended, endAll, type RunningAgent, spawnAgent, untilServing } from "./agent-process.ts";

export type { RunningAgent } from "./agent-process.ts";

const root = join(import.meta.dirname, "..");
const program = join(root, "packages", "cli", "bin", "basil.js");

/** The documents and command lines of the product's page, as data. */
export const seed = {
  text: (name: string): Promise<string> => readFile(join(root, "vectors", "seed", name), "utf8"),
  json: async (name: string): Promise<unknown> => JSON.parse(await seed.text(name)),
};

export interface StackOptions {
  /** The catalog document, as text. */
  readonly catalog: string;
  /** The policy document, as a value. */
  readonly policy: unknown;
  readonly emulator?: KmsEmulatorOptions;
  /** The runtime identity's IAM policy; everything on KMS when it is left out. */
  readonly iamPolicy?: unknown;
  /** More lines of the agent's configuration. */
  readonly config?: string;
}

export interface AgentOptions {
  /** Default: that of the deployment. */
  readonly socket?: string;
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A whole deployment in a folder of its own: emulator, identities, documents, sealed bundle, configuration. */
export class Stack implements AsyncDisposable {
  readonly folder: string;
  readonly emulator: KmsEmulator;
  readonly runtime: UserIdentity;
  readonly #agents: AgentProcess[] = [];

  private constructor(folder: string, emulator: KmsEmulator, runtime: UserIdentity) {
    this.folder = folder;
    this.emulator = emulator;
    this.runtime = runtime;
  }

  static async start(options: StackOptions): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), "basil-e2e-"));
    const emulator = await startKmsEmulator(options.emulator ?? {});
    const everything = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }],
    };
    const runtime = emulator.principals.createUser({
      name: "basil-runtime",
      policies: [JSON.stringify(options.iamPolicy ?? everything)],
    });
    const stack = new Stack(folder, emulator, runtime);
    await writeFile(join(folder, "catalog.json"), options.catalog);
    await writeFile(join(folder, "policy.json"), JSON.stringify(options.policy));
    await writeFile(join(folder, "pass"), "correct horse battery staple\n", { mode: 0o600 });
    const config = [
      `socket = "${stack.socket}"`,
      `catalog = "${join(folder, "catalog.json")}"`,
      `policy = "${join(folder, "policy.json")}"`,
      `bundle = "${join(folder, "creds.sealed")}"`,
      `audit-log = "${join(folder, "audit.jsonl")}"`,
      options.config ?? "",
      "[unlock]",
      `unlock-passphrase-file = "${join(folder, "pass")}"`,
      "unlock-passphrase-no-wipe = true",
    ];
    await writeFile(join(folder, "agent.toml"), `${config.join("\n")}\n`);
    const unlock = `passphrase:file=${join(folder, "pass")}`;
    const created = await stack.basil(
      ["bundle", "create", join(folder, "creds.sealed"), "--slot", unlock].concat([
        "--backend",
        "id=kms,type=aws-kms,region=us-east-1",
      ]),
    );
    if (created.code !== 0) throw new Error(`bundle create ended with ${created.code}: ${created.stderr}`);
    return stack;
  }

  get socket(): string {
    return join(this.folder, "basil.sock");
  }

  /** What a process of this deployment finds around it: nothing of the surroundings but the PATH. */
  get env(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? "",
      HOME: this.folder,
      BASIL_SOCKET: this.socket,
      AWS_ENDPOINT_URL_KMS: this.emulator.endpoint,
      AWS_ACCESS_KEY_ID: this.runtime.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.runtime.secretAccessKey,
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }

  async audit(): Promise<Record<string, unknown>[]> {
    const lines = (await readFile(join(this.folder, "audit.jsonl"), "utf8")).split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Runs `basil` to its end. */
  basil(args: readonly string[], options: { readonly env?: Record<string, string> } = {}): Promise<Ended> {
    return new Promise((resolve) => {
      const environment = { ...this.env, ...options.env };
      const child = execFile(process.execPath, [program, ...args], { env: environment }, (_, stdout, stderr) => {
        resolve({ code: child.exitCode, stdout, stderr });
      });
      child.stdin?.end();
    });
  }

  /** Starts the agent and waits for it to serve, at the socket of this deployment if its configuration names no other. */
  startAgent({ socket = this.socket, env = {} }: AgentOptions = {}): Promise<RunningAgent> {
    return untilServing(this.#spawnAgent(socket, env), socket);
  }

  /** Runs an agent that is expected to refuse to start, to its end. */
  async refusedAgent(): Promise<Ended & { readonly socketExists: boolean }> {
    const { ended } = this.#spawnAgent();
    const result = await ended;
    const socketExists = await access(this.socket).then(
      () => true,
      () => false,
    );
    return { ...result, socketExists };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.#agents);
    await this.emulator.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  #spawnAgent(socket = this.socket, env: AgentOptions["env"] = {}): AgentProcess {
    const environment = { ...this.env, ...env, BASIL_SOCKET: socket };
    const agent = spawnAgent(join(this.folder, "agent.toml"), { env: environment });
    this.#agents.push(agent);
    return agent;
  }
}
