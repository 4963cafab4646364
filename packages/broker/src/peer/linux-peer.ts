import { closeSync, readFileSync, readlinkSync } from "node:fs";
import type { CLibrary } from "../native/c-library.js";
import type { Peer } from "./peer.js";

// asm-generic/socket.h
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;
const SO_PEERPIDFD = 77;

/** struct ucred: pid, uid, gid, 32 bits each. */
const UCRED_BYTES = 12;
/** What the kernel answers for a socket that has no peer credentials, as one of another family. */
const NO_ID = 0xffff_ffff;
/** NGROUPS_MAX groups of 32 bits. */
const MAX_GROUPS_BYTES = 65_536 * 4;
const FEW_GROUPS_BYTES = 64 * 4;

/** Reads SO_PEERCRED, SO_PEERGROUPS and SO_PEERPIDFD (unix(7)), and what /proc shows of the process. */
export function readLinuxPeer(library: CLibrary, fd: number): Peer | undefined {
  const credentials = library.socketOption(fd, SOL_SOCKET, SO_PEERCRED, UCRED_BYTES);
  if (credentials?.length !== UCRED_BYTES) return undefined;
  const [pid = 0, uid = NO_ID, gid = NO_ID] = words(credentials);
  if (uid === NO_ID || gid === NO_ID) return undefined;
  const pidfd = readPidfd(library, fd);
  const described = pid === 0 ? undefined : describe(pid, pidfd);
  const identity = {
    kind: "unix",
    uid,
    gid,
    groups: readGroups(library, fd),
    // 0 is a process of a namespace that ours cannot see.
    pid: pid === 0 ? null : pid,
    startTime: described?.startTime ?? null,
    exe: described?.exe ?? null,
  } as const;
  let open = pidfd !== undefined;
  return {
    identity,
    // Held as long as the connection: while it is open the kernel does not give its process's number to another handle of ours.
    [Symbol.dispose]() {
      if (open) closeSync(pidfd as number);
      open = false;
    },
  };
}

function readGroups(library: CLibrary, fd: number): number[] | null {
  const groups =
    library.socketOption(fd, SOL_SOCKET, SO_PEERGROUPS, FEW_GROUPS_BYTES) ??
    library.socketOption(fd, SOL_SOCKET, SO_PEERGROUPS, MAX_GROUPS_BYTES);
  return groups === undefined ? null : words(groups);
}

function readPidfd(library: CLibrary, fd: number): number | undefined {
  const value = library.socketOption(fd, SOL_SOCKET, SO_PEERPIDFD, 4);
  return value?.length === 4 ? words(value)[0] : undefined;
}

/**
 * What /proc says of the process, if it still is the one that connected: with a pidfd the kernel says so, without one a
 * process that began after we looked is not it, and nothing is told.
 */
function describe(pid: number, pidfd: number | undefined): { startTime: number; exe: string | null } | undefined {
  const startTime = readStartTime(pid);
  if (startTime === undefined) return undefined;
  let exe: string | null = null;
  try {
    exe = readlinkSync(`/proc/${pid}/exe`);
  } catch {
    // Another user's process, and no CAP_SYS_PTRACE: it stays unknown.
  }
  const same = pidfd === undefined ? readStartTime(pid) === startTime : pidOf(pidfd) === pid;
  return same ? { startTime, exe } : undefined;
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)), in clock ticks since boot. The name before it may hold anything but `)` last. */
function readStartTime(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    return Number.isSafeInteger(ticks) ? ticks : undefined;
  } catch {
    return undefined;
  }
}

/** -1 once the process is gone. */
function pidOf(pidfd: number): number | undefined {
  try {
    const [, pid] = /^Pid:\s*(-?\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${pidfd}`, "latin1")) ?? [];
    return Number(pid);
  } catch {
    return undefined;
  }
}

function words(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  return Array.from({ length: bytes.length >> 2 }, (_, index) => view.getUint32(index * 4, littleEndian));
}
