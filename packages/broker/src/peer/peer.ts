import type { UnixIdentity } from "@basil/policy";
import { BrokerError } from "../errors.js";
import { type CLibrary, loadCLibrary } from "../native/c-library.js";
import { readLinuxPeer } from "./linux-peer.js";

/** Who is at the other end of a connection, fixed when it was made. */
export interface Peer extends Disposable {
  readonly identity: UnixIdentity;
}

/** @param fd - A connected unix stream socket. @returns undefined when the kernel does not tell. */
export type PeerReader = (fd: number) => Peer | undefined;

/** Architectures whose socket options have the numbers of asm-generic/socket.h. */
const GENERIC_ARCHITECTURES: readonly string[] = ["x64", "arm64", "arm", "ia32", "riscv64", "loong64", "s390x"];

/** @throws {@link BrokerError} `PLATFORM_UNSUPPORTED` where the kernel does not say who a peer is. */
export async function peerReader(): Promise<PeerReader> {
  const { platform, arch } = process;
  if (platform === "linux" && GENERIC_ARCHITECTURES.includes(arch)) {
    const library = await loadCLibrary();
    return (fd) => readLinuxPeer(library, fd);
  }
  if (platform === "darwin") {
    const library = await loadCLibrary();
    return (fd) => readDarwinPeer(library, fd);
  }
  const message = `a broker does not listen on ${platform} ${arch}: its kernel's way to tell a peer's identity is not known here`;
  throw new BrokerError("PLATFORM_UNSUPPORTED", message, { platform, arch });
}

/** Whether a broker could listen here at all. @throws {@link BrokerError} `PLATFORM_UNSUPPORTED`, naming what is missing. */
export async function requirePlatform(): Promise<void> {
  await peerReader();
}

/** getpeereid(3) tells user and group, and no process. */
function readDarwinPeer(library: CLibrary, fd: number): Peer | undefined {
  const ids = library.peerIds(fd);
  if (ids === undefined) return undefined;
  const identity = { kind: "unix", ...ids, groups: null, pid: null, startTime: null, exe: null } as const;
  return { identity, [Symbol.dispose]() {} };
}
