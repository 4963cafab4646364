import type { Terminal } from "./terminal.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a command may use of the world around it; `main` fills it from the process. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly env: Environment;
  readonly cwd: string;
  /** Effective uid and gid of this process. */
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  /** The program and leading arguments that start this very executable again. */
  readonly self: readonly [string, ...string[]];
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean; destroy?(): unknown };
  /** Aborted by SIGINT, SIGTERM and SIGQUIT; its reason is the name of the signal. */
  readonly signal: AbortSignal;
  /** Told before code of another package than ours is loaded: once the command has finished, what it left running is not waited for. */
  othersCode(): void;
  /** From here on SIGHUP calls `listener`, in place of the one before, and no longer ends the process. */
  onHangup(listener: () => void): void;
}
