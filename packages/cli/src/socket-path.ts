import { join } from "node:path";
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
