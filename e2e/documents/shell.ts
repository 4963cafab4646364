import { spawn } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

const program = join(import.meta.dirname, "../../packages/cli/bin/basil.js");

export interface Answer {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams in the order in which they were written, as a terminal shows them. */
  readonly screen: string;
}

/** A folder with documents in it, and a shell in that folder that finds `basil`. */
export class Shell implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param files - By name; a value that is no text is written as JSON. */
  static async open(files: Readonly<Record<string, unknown>> = {}): Promise<Shell> {
    const shell = new Shell(await realpath(await mkdtemp(join(tmpdir(), "basil-documents-"))));
    const programs = join(shell.folder, ".bin");
    await mkdir(programs);
    await symlink(program, join(programs, "basil"));
    for (const [name, content] of Object.entries(files)) await shell.write(name, content);
    return shell;
  }

  async write(name: string, content: unknown): Promise<void> {
    const text = typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content);
    await writeFile(join(this.folder, name), text);
  }

  /** Runs a line in `/bin/sh`, with nothing of the surroundings but what a shell needs to find its programs. */
  type(line: string, env: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const path = [join(this.folder, ".bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
    return new Promise((resolve, reject) => {
      const child = spawn("/bin/sh", ["-c", line], {
        cwd: this.folder,
        env: { PATH: path, HOME: this.folder, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let [stdout, stderr, screen] = ["", "", ""];
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
        screen += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
        screen += text;
      });
      child.once("error", reject);
      child.once("close", (exitCode) => resolve({ exitCode, stdout, stderr, screen }));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
