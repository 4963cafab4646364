import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/** Which process, in a form that another process can check for life: a pid alone is used again by the next one. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot (proc(5), field 22 of stat), where there is /proc; otherwise empty. */
  readonly startedAt: string;
  /** The boot and the pid namespace, or the host name; pids of another scope say nothing here. */
  readonly scope: string;
}

/** Tells the processes of this host apart. */
export interface ProcessTable {
  own(): Promise<ProcessIdentity>;
  /** `unknown` when the process is of another scope: it may run in a container or on another host. */
  lifeOf(identity: ProcessIdentity): Promise<"alive" | "dead" | "unknown">;
}

export const localProcesses: ProcessTable = {
  own: async () => ({ pid: process.pid, startedAt: (await startOf(process.pid)) ?? "", scope: await ownScope() }),
  lifeOf,
};

async function lifeOf(identity: ProcessIdentity): Promise<"alive" | "dead" | "unknown"> {
  if (identity.scope !== (await ownScope())) return "unknown";
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return "dead";
    // EPERM: somebody else's process, alive.
  }
  const startedAt = await startOf(identity.pid);
  return startedAt === undefined || startedAt === identity.startedAt ? "alive" : "dead";
}

async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The command name may hold spaces and brackets; what follows its last bracket does not.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

async function ownScope(): Promise<string> {
  try {
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    return `${boot} ${await readlink("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
