import type { AnyClientError, CallOptions, Client, ClientErrorCode } from "@basil/client";
import type { Command } from "commander";
import { CliError } from "./cli-error.js";
import type { GlobalOptions } from "./command.js";
import type { CommandContext, Environment } from "./context.js";
import { escapeField } from "./escape-text.js";
import { integer, seconds } from "./option-values.js";
import { sealedFileRemedy } from "./sealed-failure.js";
import { clientSocketPath } from "./socket-path.js";

export interface BrokerOptions extends GlobalOptions {
  /** Milliseconds. */
  readonly timeout?: number;
  readonly brokerUid?: number;
}

/** What a call to the broker gets when `--timeout` says nothing else, in milliseconds. */
const DEFAULT_TIMEOUT = 30_000;

/** What one request may carry, as gRPC limits it; the broker's own limits are lower. */
export const MAX_PAYLOAD_BYTES = 4 * 1024 * 1024;

/** Declares what every command takes that talks to the broker. */
export function declareBroker(command: Command, timeout = "give up after this long (default: 30)"): void {
  command
    .option("--timeout <seconds>", timeout, seconds)
    .option("--broker-uid <uid>", "also trust a socket of this user (environment: BASIL_BROKER_UID)", userId);
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
  using _ = context.terminal.working("waiting for the broker");
  const { connect, isClientError } = await import("@basil/client");
  const { signal } = context;
  const brokerUid = options.brokerUid ?? brokerUidOf(context.env);
  const timeoutMs = options.timeout ?? DEFAULT_TIMEOUT;
  try {
    await using client = await connect(path, { timeoutMs, signal, ...(brokerUid !== undefined && { brokerUid }) });
    return await use(client, { signal, timeoutMs });
  } catch (error) {
    throw isClientError(error) ? cliErrorOf(error, path, timeoutMs) : error;
  }
}

const userId = integer(0, 0xffff_fffe);

/** @throws {@link CliError} `USAGE`. */
function brokerUidOf({ BASIL_BROKER_UID: value }: Environment): number | undefined {
  if (!value) return undefined;
  try {
    return userId(value);
  } catch (cause) {
    throw new CliError(
      "USAGE",
      `BASIL_BROKER_UID is ${JSON.stringify(value)}; allowed: a numeric user id`,
      {},
      { cause, remedy: "set it to the numeric user id of the broker, as 'id -u USER' prints it" },
    );
  }
}

const REMEDIES: Readonly<Partial<Record<ClientErrorCode, string>>> = {
  INVALID_REQUEST: "correct what is named; 'basil list' shows the keys you may use, and what they are",
  UNSUPPORTED: "use a key of a backend that does it; the broker's operator knows which there are",
  NO_REVOCATION_STORE: 'the broker\'s operator labels a value of the catalog "revocation_store=jwt-svid"',
};

function cliErrorOf(error: AnyClientError, socket: string, timeoutMs: number): CliError {
  const { cause, retryAfterMs } = error;
  const message = escapeField(error.message);
  const said = error.reason === undefined ? message : `${message} (${escapeField(error.reason)})`;
  const options = (remedy: string) => ({ cause: error, remedy });
  switch (error.code) {
    case "UNREACHABLE":
      return new CliError(
        "UNREACHABLE",
        message,
        { socket },
        options(
          error.details.errno === "EACCES"
            ? "ask the broker's operator: socket-mode, socket-group and the folders above it decide who may connect"
            : "start the broker with 'basil agent', or name its socket with --socket or BASIL_SOCKET",
        ),
      );
    case "UNTRUSTED_SOCKET": {
      const { entry, owner } = error.details;
      const what = `the socket ${socket} is not trusted: ${entry === socket ? "it" : entry} belongs to uid ${owner}`;
      return new CliError(
        "UNREACHABLE",
        what,
        { socket },
        options(`nothing was sent; if the broker runs as that user, say so with --broker-uid ${owner}`),
      );
    }
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
        `the broker cannot do it now: ${said}`,
        retryAfterMs === undefined ? {} : { retryAfterMs },
        options(retryAfterMs === undefined ? "try again" : `try again in ${retryAfterMs} ms`),
      );
    case "PAYLOAD_TOO_LARGE":
      return new CliError(
        "TOO_LARGE",
        `too large: ${said}`,
        {},
        options("send less: sign a digest; 'basil seal' encrypts data of any size"),
      );
    case "LIMIT_EXCEEDED":
      return new CliError("TOO_LARGE", `over a limit: ${said}`, {}, options("try again with fewer calls at a time"));
    case "DECRYPT_FAILED":
      return new CliError(
        "FAILED",
        said,
        { reason: error.code },
        options("check the key, the ciphertext and the AAD: one of them is not the one of the encryption"),
      );
    case "BACKEND_ERROR":
    case "INTERNAL":
      return new CliError(
        "FAILED",
        `the broker failed: ${said}`,
        { reason: error.code },
        options("the broker's log has the cause"),
      );
    case "UNSUPPORTED_ALGORITHM":
      return new CliError(
        "FAILED",
        said,
        { reason: error.code },
        options(
          "use a key of another type; for a new key the broker's log says what is not offered, and in which region",
        ),
      );
    default: {
      const sealed = sealedFileRemedy(error.code);
      return new CliError(
        "FAILED",
        sealed === undefined ? said : `${message} (${error.code})`,
        { reason: error.code },
        options(
          sealed ?? REMEDIES[error.code] ?? "check the key and the arguments; 'basil list' shows the keys you may use",
        ),
      );
    }
  }
}
