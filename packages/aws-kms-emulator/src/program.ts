import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { callLine } from "./call-line.js";
import type { CallRecord } from "./call-record.js";
import { startKmsEmulator } from "./emulator.js";
import { EmulatorError, isEmulatorError } from "./errors.js";
import type { KmsEmulatorOptions } from "./options.js";

/** What the program needs of its process. */
export interface ProgramIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly colour: boolean;
  /** Resolves when the program is asked to stop. */
  readonly stopped: Promise<unknown>;
}

const help = `Usage: aws-kms-emulator [options]

A stateful AWS KMS with IAM and STS on loopback, for tests and demos. Real keys, real signatures, SigV4 verified.
Point any AWS SDK or the AWS CLI at it with AWS_ENDPOINT_URL.

Options:
  --port <number>      port to listen on (default: a free one)
  --host <address>     address to listen on (default: 127.0.0.1)
  --account <digits>   12 digits (default: 111122223333, or the seed file's)
  --region <name>      default: us-east-1, or the seed file's
  --seed <file>        JSON: keys, users, roles, faults and more to start with
  --state <file>       keep everything in this file, private keys included, and go on from it after a restart
  --log <form>         pretty, json or none: one line a call on standard output (default: pretty)
  --help               print this
  --version            print the version
`;

const forms = ["pretty", "json", "none"];

class UsageError extends Error {}

function flags(args: readonly string[]) {
  const string = { type: "string" } as const;
  const boolean = { type: "boolean" } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: string,
        host: string,
        account: string,
        region: string,
        seed: string,
        state: string,
        log: string,
        help: boolean,
        version: boolean,
      },
    });
    return values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause));
  }
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new UsageError(`--port: must be 0 to 65535, found ${JSON.stringify(text)}`);
  return Number(text);
}

async function seedOf(file: string | undefined): Promise<KmsEmulatorOptions> {
  if (file === undefined) return {};
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new EmulatorError(
      "OPTION_INVALID",
      `--seed: ${file} cannot be read: ${(cause as Error).message}`,
      { path: "--seed" },
      { cause },
    );
  }
  const { parseSeedDocument } = await import("./seed-document.js");
  return parseSeedDocument(text);
}

async function serve(values: ReturnType<typeof flags>, io: ProgramIo): Promise<void> {
  const log = values.log ?? "pretty";
  if (!forms.includes(log))
    throw new UsageError(`--log: must be one of ${forms.join(", ")}, found ${JSON.stringify(log)}`);
  const port = portOf(values.port);
  const print: Record<string, (call: CallRecord) => void> = {
    pretty: (call) => io.out(`${callLine(call, io.colour)}\n`),
    json: (call) => io.out(`${JSON.stringify(call)}\n`),
  };
  const onCall = print[log];
  await using emulator = await startKmsEmulator({
    ...(await seedOf(values.seed)),
    port,
    ...(values.host !== undefined && { host: values.host }),
    ...(values.account !== undefined && { account: values.account }),
    ...(values.region !== undefined && { region: values.region }),
    ...(values.state !== undefined && { stateFile: values.state }),
    callLog: onCall === undefined ? {} : { onCall },
  });
  const { accessKeyId, secretAccessKey } = emulator.rootCredentials;
  const keys = emulator.keys.list().length;
  io.err(
    [
      `listening on ${emulator.endpoint}, account ${emulator.account}, ${keys === 1 ? "1 key" : `${keys} keys`}`,
      "the account root user, for AWS CLI and SDKs (worth nothing elsewhere):",
      `  export AWS_ENDPOINT_URL=${emulator.endpoint} AWS_REGION=${emulator.region} AWS_DEFAULT_REGION=${emulator.region}`,
      `  export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
      "",
    ].join("\n"),
  );
  for (const warning of emulator.warnings) io.err(`aws-kms-emulator: warning: ${warning}\n`);
  await io.stopped;
}

/** The program `aws-kms-emulator`. Exit codes: 0 stopped, 1 could not start, 2 wrong usage. */
export async function main(args: readonly string[], version: string, io: ProgramIo): Promise<number> {
  try {
    const values = flags(args);
    if (values.help) io.out(help);
    else if (values.version) io.out(`${version}\n`);
    else await serve(values, io);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`aws-kms-emulator: ${error.message}\nTry --help.\n`);
      return 2;
    }
    if (!isEmulatorError(error)) throw error;
    io.err(`aws-kms-emulator: ${error.message}\n`);
    return 1;
  }
}
