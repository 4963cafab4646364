import { platform } from "node:os";
import { dirname, join } from "node:path";
import type { Environment } from "./context.js";

/**
 * Where agent and clients meet when nobody says otherwise: the user's own runtime folder, else `/run/basil`. Never a
 * folder that everybody can write, where anybody could be first to listen.
 */
export function defaultSocketPath(env: Environment): string {
  return env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, "basil", "agent.sock") : "/run/basil/agent.sock";
}

/** The socket a client command talks to: flag, then environment, then default. */
export function clientSocketPath(options: { readonly socket?: string }, env: Environment): string {
  return options.socket ?? (env.BASIL_SOCKET || defaultSocketPath(env));
}

/** `sun_path` of sockaddr_un without its final zero: unix(7), and 104 on the BSDs and macOS. */
const MAX_PATH_BYTES = platform() === "linux" ? 107 : 103;
/** The agent binds its socket in a folder of its own beside the path, and then moves it there. */
const ASIDE = join(".bXXXXXX", "s");

/** What is wrong with the length of a path that a socket shall have; undefined when an agent can bind it. */
export function socketPathProblem(path: string): string | undefined {
  const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(join(dirname(path), ASIDE)));
  if (bytes <= MAX_PATH_BYTES) return undefined;
  return `${path} is too long for a socket: it needs ${bytes} bytes while it is made, at most ${MAX_PATH_BYTES} are allowed`;
}
