import { lstat, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { AnyClientError, CallOptions, Client } from "@basil/client";
import type { Command } from "commander";
import { CliError } from "./cli-error.js";
import type { GlobalOptions } from "./command.js";
import type { CommandContext } from "./context.js";
import { seconds } from "./option-values.js";
import { clientSocketPath } from "./socket-path.js";

export interface BrokerOptions extends GlobalOptions {
  /** Milliseconds. */
  readonly timeout?: number;
}

/** What a call to the broker gets when `--timeout` says nothing else, in milliseconds. */
const DEFAULT_TIMEOUT = 30_000;

/** What one request may carry, as gRPC limits it; the broker's own limits are lower. */
export const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;

export function declareTimeout(command: Command): void {
  command.option("--timeout <seconds>", "give up after this long (default: 30)", seconds);
}

/**
 * Connects to the broker, makes the calls of `use`, and tells a failure in the words of this program.
 *
 * @throws {@link CliError} `UNREACHABLE`, `DENIED`, `DEADLINE`, `UNAVAILABLE`, `TOO_LARGE`, `FAILED`.
 */
export async function withBroker<T>(
  options: BrokerOptions,
  context: CommandContext,
  use: (client: Client, call: CallOptions) => Promise<T>,
): Promise<T> {
  const path = clientSocketPath(options, context.env);
  await requireTrustedSocket(path, context.uid);
  const { connect, isClientError } = await import("@basil/client");
  const { signal } = context;
  const timeoutMs = options.timeout ?? DEFAULT_TIMEOUT;
  try {
    await using client = await connect(path, { timeoutMs, signal });
    return await use(client, { signal, timeoutMs });
  } catch (error) {
    throw isClientError(error) ? cliErrorOf(error, path, timeoutMs) : error;
  }
}

function cliErrorOf(error: AnyClientError, socket: string, timeoutMs: number): CliError {
  const { message, cause, retryAfterMs } = error;
  const said = error.reason === undefined ? message : `${message} (${error.reason})`;
  const options = (remedy: string) => ({ cause: error, remedy });
  switch (error.code) {
    case "UNREACHABLE":
      return new CliError(
        "UNREACHABLE",
        message,
        { socket },
        options("start the broker with 'basil agent', or name its socket with --socket or BASIL_SOCKET"),
      );
    case "UNAUTHORIZED":
    case "UNAUTHENTICATED":
      return new CliError(
        "DENIED",
        `the broker refused: ${said}`,
        error.op === undefined ? {} : { op: error.op },
        options("ask the broker's operator: its audit log and 'basil explain' say why"),
      );
    case "DEADLINE_EXCEEDED":
      return new CliError(
        "DEADLINE",
        `the broker gave no answer within ${timeoutMs / 1000} s`,
        {},
        options("try again, or allow more with --timeout SECONDS; the broker may have done the work"),
      );
    case "CANCELLED":
      return new CliError(
        "DEADLINE",
        `interrupted${typeof cause === "string" ? ` by ${cause}` : ""}`,
        {},
        options("run it again; the broker may have done the work"),
      );
    case "BACKEND_UNAVAILABLE":
      return new CliError(
        "UNAVAILABLE",
        `the key's backend does not answer: ${said}`,
        retryAfterMs === undefined ? {} : { retryAfterMs },
        options(retryAfterMs === undefined ? "try again" : `try again in ${retryAfterMs} ms`),
      );
    case "PAYLOAD_TOO_LARGE":
      return new CliError(
        "TOO_LARGE",
        `too large: ${said}`,
        {},
        options("send less: sign a digest, or encrypt a data key instead of the data"),
      );
    case "LIMIT_EXCEEDED":
      return new CliError("TOO_LARGE", `over a limit: ${said}`, {}, options("try again with fewer calls at a time"));
    case "DECRYPT_FAILED":
      return new CliError(
        "FAILED",
        said,
        { reason: error.code },
        options("check the key, the ciphertext and --aad-hex: one of them is not the one of the encryption"),
      );
    case "BACKEND_ERROR":
    case "INTERNAL":
      return new CliError(
        "FAILED",
        `the broker failed: ${said}`,
        { reason: error.code },
        options("the broker's log has the cause"),
      );
    default:
      return new CliError(
        "FAILED",
        said,
        { reason: error.code },
        options("check the key and the arguments; 'basil list' shows the keys you may use"),
      );
  }
}

/**
 * In a folder that everybody can write, the first to listen gets the secrets. There only a socket of root or of the
 * caller is spoken to; elsewhere the folder's owner decides who listens.
 */
async function requireTrustedSocket(path: string, uid: number): Promise<void> {
  let owner: number;
  let folderMode: number;
  try {
    owner = (await lstat(path)).uid;
    folderMode = (await stat(dirname(await realpath(path)))).mode;
  } catch {
    // Connecting says what is wrong, in better words.
    return;
  }
  if ((folderMode & 0o002) === 0 || owner === 0 || owner === uid) return;
  throw new CliError(
    "UNREACHABLE",
    `the socket ${path} belongs to uid ${owner}, in a folder that everybody can write`,
    { socket: path },
    {
      remedy: "nothing was sent; let the broker listen in a folder of its own and name that socket",
    },
  );
}
