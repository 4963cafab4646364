import { BrokerError } from "../errors.js";

/** What the C library can tell that Node has no API for (libuv #2255). */
export interface CLibrary {
  /** The bytes of a socket option; undefined when the kernel does not know or does not tell it. */
  socketOption(fd: number, level: number, option: number, maxBytes: number): Uint8Array | undefined;
  /** The user and group of a peer, by BSD's call; undefined when it fails. */
  peerIds(fd: number): { uid: number; gid: number } | undefined;
  /** The number of a group, by the system's own lookup; undefined when there is none. */
  groupId(name: string): number | undefined;
  /** False when another process holds the lock. */
  lockExclusively(fd: number): boolean;
}

const LOCK_EX = 2;
const LOCK_NB = 4;

let loading: Promise<CLibrary> | undefined;

/** @throws {@link BrokerError} `PLATFORM_UNSUPPORTED` where koffi has no binary. */
export function loadCLibrary(): Promise<CLibrary> {
  loading ??= bind();
  return loading;
}

async function bind(): Promise<CLibrary> {
  const { default: koffi } = await import("koffi").catch((cause: unknown) => {
    const { platform, arch } = process;
    const message = `koffi cannot be loaded on ${platform} ${arch}, so callers cannot be known`;
    throw new BrokerError("PLATFORM_UNSUPPORTED", message, { platform, arch }, { cause });
  });
  const library = koffi.load(null);
  const getsockopt = library.func(
    "int getsockopt(int fd, int level, int option, _Out_ uint8_t *value, _Inout_ uint32_t *length)",
  );
  const flock = library.func("int flock(int fd, int operation)");
  const group = koffi.struct({ gr_name: "char *", gr_passwd: "char *", gr_gid: "uint32_t", gr_mem: "void *" });
  const getgrnam = library.func("getgrnam", koffi.pointer(group), ["const char *"]);
  const getpeereid =
    process.platform === "linux"
      ? undefined
      : library.func("int getpeereid(int fd, _Out_ uint32_t *uid, _Out_ uint32_t *gid)");
  return {
    socketOption(fd, level, option, maxBytes) {
      const value = new Uint8Array(maxBytes);
      const length: [number] = [maxBytes];
      return getsockopt(fd, level, option, value, length) === 0 ? value.subarray(0, length[0]) : undefined;
    },
    peerIds(fd) {
      const uid: [number] = [0];
      const gid: [number] = [0];
      return getpeereid?.(fd, uid, gid) === 0 ? { uid: uid[0], gid: gid[0] } : undefined;
    },
    groupId(name) {
      const found: unknown = getgrnam(name);
      if (found === null) return undefined;
      return (koffi.decode(found, group) as { gr_gid: number }).gr_gid;
    },
    lockExclusively: (fd) => flock(fd, LOCK_EX | LOCK_NB) === 0,
  };
}
