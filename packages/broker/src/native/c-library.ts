import { BrokerError } from "../errors.js";

/** What the C library can tell that Node has no API for (libuv #2255). */
export interface CLibrary {
  /** The bytes of a socket option; undefined when the kernel does not know or does not tell it. */
  socketOption(fd: number, level: number, option: number, maxBytes: number): Uint8Array | undefined;
  /** The user and group of a peer, by BSD's call; undefined when it fails. */
  peerIds(fd: number): { uid: number; gid: number } | undefined;
  /** The number of a group, by the system's own lookup; undefined when there is none. */
  groupId(name: string): number | undefined;
  /** Sends one datagram to a unix socket; the path of an abstract one begins with `@`. Linux. @returns whether it was taken. */
  sendDatagram(path: string, text: string): boolean;
  /** False when another process holds the lock. */
  lockExclusively(fd: number): boolean;
}

// bits/socket.h, <sys/un.h>, the same on every Linux
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const MSG_NOSIGNAL_DONTWAIT = 0x4040;
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
    const binary = `@koromix/koffi-${platform}-${arch}`;
    const message = `koffi's binary for ${platform} ${arch} cannot be loaded, so callers cannot be known: it is the package ${binary}, which an install without optional dependencies leaves out; install with them, or install ${binary} by name`;
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
  const socket = library.func("int socket(int domain, int type, int protocol)");
  const close = library.func("int close(int fd)");
  const sendto = library.func(
    "intptr_t sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *address, uint32_t addressLength)",
  );
  return {
    sendDatagram(path, text) {
      const fd: number = socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
      if (fd < 0) return false;
      try {
        const data = Buffer.from(text);
        const address = unixAddress(path);
        return Number(sendto(fd, data, data.length, MSG_NOSIGNAL_DONTWAIT, address, address.length)) === data.length;
      } finally {
        close(fd);
      }
    },
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

/** struct sockaddr_un (unix(7)): the family, then the path; an abstract name begins with a zero byte and has no end mark. */
function unixAddress(path: string): Buffer {
  const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`);
  const family = Buffer.from(Uint16Array.of(AF_UNIX).buffer);
  return Buffer.concat([family, name]);
}
