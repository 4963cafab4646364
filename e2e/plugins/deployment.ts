import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentProcess, answers, endAll, spawnAgent, untilServing } from "../agent-process.js";
import { type Answer, basil } from "../cli/typed.js";
import { policyOfMe } from "../policy-of-me.js";

const fixture = join(import.meta.dirname, "fixture/backend.js");

export interface PackageOptions {
  /** What follows the fixture in the package's one module. */
  readonly code?: string;
  /** The whole module, in place of fixture and code. */
  readonly module?: string;
  /** Members of its package.json in place of the usual ones. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** The folder that has the `node_modules`; the deployment's own by default. */
  readonly under?: string;
}

export interface Agent extends AsyncDisposable {
  log(): string;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A deployment of backend packages that are written on the spot, in a folder of its own. No network is needed. */
export class Deployment implements AsyncDisposable {
  readonly folder: string;
  readonly socket: string;
  readonly #agents: AgentProcess[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    this.socket = join(folder, "basil.sock");
  }

  static async make(): Promise<Deployment> {
    const deployment = new Deployment(await mkdtemp(join(tmpdir(), "basil-plugins-")));
    await deployment.write("pass", "correct horse battery staple\n", 0o600);
    return deployment;
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  async write(name: string, text: string, mode = 0o644): Promise<void> {
    await writeFile(this.path(name), text, { mode });
  }

  /** Installs a package that exports only to `import`. */
  async install(name: string, options: PackageOptions = {}): Promise<string> {
    const { code = "", module, manifest, under = this.folder } = options;
    const folder = join(under, "node_modules", ...name.split("/"));
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const usual = { name, version: "1.0.0", type: "module", exports: { ".": { import: "./index.js" } } };
    await writeFile(join(folder, "package.json"), JSON.stringify({ ...usual, ...manifest }), { mode: 0o644 });
    await copyFile(fixture, join(folder, "backend.js"));
    const text = module ?? `import { backendError, capabilities, makePlugin } from "./backend.js";\n${code}\n`;
    await writeFile(join(folder, "index.js"), text, { mode: 0o644 });
    return folder;
  }

  /** Catalog and policy of backends by id with their kinds; each has the keys `ID.p256`, `ID.ed` and `ID.aead`, made at start. */
  async catalog(backends: Readonly<Record<string, string>>): Promise<void> {
    const mintKeyTypes = ["ed25519", "ecdsa-p256", "aes-256-gcm"];
    const entry = { writable: false, missing: "generate", description: "a key of the tests" };
    const keys = Object.keys(backends).flatMap((backend) => [
      [`${backend}.p256`, { ...entry, class: "asymmetric", keyType: "ecdsa-p256", backend, path: "p256" }],
      [`${backend}.ed`, { ...entry, class: "asymmetric", keyType: "ed25519", backend, path: "ed" }],
      [`${backend}.aead`, { ...entry, class: "symmetric", keyType: "aes-256-gcm", backend, path: "aead" }],
    ]);
    const declared = Object.entries(backends).map(([id, kind]) => [
      id,
      { kind, addr: "", engines: ["transit"], mintKeyTypes },
    ]);
    const document = { schemaVersion: 1, backends: Object.fromEntries(declared), keys: Object.fromEntries(keys) };
    await this.write("catalog.json", JSON.stringify(document));
    await this.write("policy.json", JSON.stringify(policyOf(Object.keys(backends).map((id) => `${id}.*`))));
  }

  async configure(packages: readonly string[], more = ""): Promise<void> {
    const lines = [
      `socket = "${this.socket}"`,
      ...["catalog", "policy"].map((name) => `${name} = "${this.path(`${name}.json`)}"`),
      `bundle = "${this.path("creds.sealed")}"`,
      `audit-log = "${this.path("audit.jsonl")}"`,
      more,
      ...packages.map((name) => `[[plugin]]\npackage = "${name}"`),
      "[unlock]",
      `unlock-passphrase-file = "${this.path("pass")}"`,
    ];
    await this.write("agent.toml", `${lines.join("\n")}\n`);
  }

  /** Seals a credential for each backend, in a new bundle. */
  seal(backends: Readonly<Record<string, string>>, flags: readonly string[] = ["-c", "agent.toml"]): Promise<Answer> {
    const specs = Object.entries(backends).flatMap(([id, kind]) => ["--backend", `id=${id},type=${kind},realm=r`]);
    const words = ["bundle", "create", "creds.sealed", "--force", "--slot", "passphrase:file=pass", ...specs, ...flags];
    return this.basil(words);
  }

  basil(words: readonly string[], cwd = this.folder): Promise<Answer> {
    return basil(words, { cwd, env: { HOME: this.folder, BASIL_SOCKET: this.socket, NO_COLOR: "1" } });
  }

  /** Starts an agent, and waits until it serves. It runs in a folder that has nothing to do with the deployment. */
  async agent(): Promise<Agent> {
    const { log, stop, [Symbol.asyncDispose]: dispose } = await untilServing(this.#spawn(), this.socket);
    return { log, stop: async (signal) => (await stop(signal)).code, [Symbol.asyncDispose]: dispose };
  }

  /** An agent that is expected to refuse to start. */
  async refusedAgent(): Promise<{ code: number | null; log: string; served: boolean }> {
    const { ended, log } = this.#spawn();
    const { code } = await ended;
    return { code, log: log(), served: await answers(this.socket) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.#agents);
    await rm(this.folder, { recursive: true, force: true });
  }

  #spawn(): AgentProcess {
    const env = { PATH: process.env.PATH ?? "", HOME: this.folder };
    const agent = spawnAgent(this.path("agent.toml"), { env, cwd: tmpdir() });
    this.#agents.push(agent);
    return agent;
  }
}

function policyOf(target: readonly string[]): unknown {
  const action = ["op:sign", "op:verify", "op:get_public_key", "op:encrypt", "op:decrypt", "op:list"];
  return policyOfMe({ id: "use", subjects: ["me"], action, target });
}
