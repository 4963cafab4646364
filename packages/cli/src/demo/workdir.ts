import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { CliError } from "../cli-error.js";
import { fileProblem } from "../config/read-document.js";
import { socketPathProblem } from "../socket-path.js";

/** Where agents of the demo are told to listen, as seen from its folder; no socket has a longer name. */
const LONGEST_SOCKET = join("run", "without-describe.sock");

/** The demo's own folder, mode 0700, and the one inside or beside it where sockets are. */
export interface Workdir extends AsyncDisposable {
  readonly path: string;
  /** The real folder of the sockets; `run` inside the workdir leads there. */
  readonly socketFolder: string;
  /** Whether any local user can reach the sockets' folder. */
  readonly isOpenToOthers: boolean;
  write(name: string, content: string, mode?: number): Promise<void>;
}

export interface WorkdirOptions {
  /** Made when it is not there; must be empty. A new one under the system's folder for such things otherwise. */
  readonly path?: string;
  /** Put the sockets where other users can reach them. */
  readonly openToOthers: boolean;
}

/** @throws {@link CliError} `FAILED` when the folder given is not empty, or its path too long for a socket; `FILE` when it cannot be made. */
export async function makeWorkdir(options: WorkdirOptions): Promise<Workdir> {
  const path = options.path === undefined ? await makeTemporary() : await claim(options.path);
  const made = [path];
  try {
    const tooLong = socketPathProblem(join(path, LONGEST_SOCKET));
    if (tooLong !== undefined) throw new CliError("FAILED", tooLong, {}, { remedy: "choose a shorter --dir" });
    const open = options.openToOthers ? await makeReachableFolder() : undefined;
    if (open !== undefined) made.push(open);
    const socketFolder = open ?? join(path, "run");
    if (open === undefined) await mkdir(socketFolder, { mode: 0o700 });
    else await symlink(open, join(path, "run"));
    return {
      path,
      socketFolder,
      isOpenToOthers: open !== undefined,
      write: async (name, content, mode = 0o600) => {
        await mkdir(dirname(join(path, name)), { recursive: true, mode: 0o700 });
        await writeFile(join(path, name), content, { mode });
        await chmod(join(path, name), mode);
      },
      [Symbol.asyncDispose]: () => removeAll(made),
    };
  } catch (error) {
    await removeAll(made);
    throw error;
  }
}

async function removeAll(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}

async function makeTemporary(): Promise<string> {
  // A `TMPDIR` deep in a home folder leaves no room for the name of a socket.
  const folder = hasRoom(join(tmpdir(), "basil-demo-XXXXXX", LONGEST_SOCKET)) ? tmpdir() : "/tmp";
  return mkdtemp(join(folder, "basil-demo-")).catch((cause: unknown) => {
    const remedy = "set TMPDIR to a folder that you can write, or give --dir";
    throw new CliError(
      "FILE",
      `no folder can be made in ${folder}: ${fileProblem(cause)}`,
      { path: folder },
      { cause, remedy },
    );
  });
}

function hasRoom(socket: string): boolean {
  return socketPathProblem(socket) === undefined;
}

async function claim(path: string): Promise<string> {
  const folder = resolve(path);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    const message = `${folder} cannot be made: ${fileProblem(cause)}`;
    throw new CliError(
      "FILE",
      message,
      { path: folder },
      { cause, remedy: "name an empty folder, or leave --dir out" },
    );
  });
  if ((await readdir(folder)).length > 0) {
    throw new CliError("FAILED", `${folder} is not empty`, {}, { remedy: "name an empty folder, or leave --dir out" });
  }
  await chmod(folder, 0o700);
  return folder;
}

/** A folder whose name others cannot list and through which they can walk, under one that they can walk to. */
async function makeReachableFolder(): Promise<string | undefined> {
  for (const parent of new Set([tmpdir(), "/tmp", "/var/tmp"])) {
    // The agent is told the real path of its socket, not the one through the link.
    if (!hasRoom(join(parent, "basil-demo-run-XXXXXX", basename(LONGEST_SOCKET)))) continue;
    if (!(await canBeWalkedByOthers(parent))) continue;
    const folder = await mkdtemp(join(parent, "basil-demo-run-"));
    await chmod(folder, 0o711);
    return folder;
  }
  return undefined;
}

async function canBeWalkedByOthers(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || (found.mode & 0o001) === 0) return false;
  return path === dirname(path) || canBeWalkedByOthers(dirname(path));
}
