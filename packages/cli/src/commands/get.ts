import { resolve } from "node:path";
import { Option } from "commander";
import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { toHex } from "../hex.js";
import { integer, nonEmpty } from "../option-values.js";
import { writeSecretFile } from "../secret-file.js";

const FORMATS = ["raw", "hex", "base64", "base64-url-no-pad"] as const;
type Format = (typeof FORMATS)[number];

interface GetOptions extends BrokerOptions {
  readonly keyId: string;
  readonly version?: number;
  readonly raw?: boolean;
  readonly format?: Format;
  readonly outFile?: string;
}

interface GetReport {
  readonly key_id: string;
  readonly version: number;
  readonly value: Uint8Array;
  readonly format: Format | undefined;
  readonly outFile: string | undefined;
}

export const get = defineCommand<GetOptions, GetReport>({
  name: "get",
  summary: "read a stored value",
  examples: ["basil get --key-id app.db_password --format base64", "basil get --key-id app.tls_key --out-file tls.key"],
  declare(command) {
    command
      .requiredOption("--key-id <name>", "the name in the catalog", nonEmpty)
      .option("--version <n>", "this version instead of the newest", integer(1, 0xffff_ffff))
      .addOption(new Option("--format <format>", "print the value alone, in this form").choices(FORMATS))
      .addOption(new Option("--raw", "the same as --format raw").conflicts("outFile"))
      .option("--out-file <path>", "write it to a file of mode 0600, and print nothing", nonEmpty);
    declareBroker(command);
  },
  async run({ options }, context) {
    const { keyId, version, raw = false, outFile } = options;
    if (raw && options.format !== undefined && options.format !== "raw") {
      throw new CliError(
        "FAILED",
        `--raw and --format ${options.format} contradict each other`,
        {},
        { remedy: "give one of them" },
      );
    }
    const format = raw ? "raw" : options.format;
    const secret = await withBroker(options, context, (client, call) =>
      client.getSecret(keyId, { ...call, ...(version !== undefined && { version }) }),
    );
    if (outFile !== undefined) {
      const content = format === undefined ? secret.value : encode(secret.value, format);
      await writeSecretFile(resolve(context.cwd, outFile), content);
    }
    return { key_id: keyId, version: secret.version, value: secret.value, format, outFile };
  },
  render({ version, value, format, outFile }, { out, outBytes }) {
    if (outFile !== undefined) return;
    if (format === undefined) {
      out(`version: ${version}`);
      out(`value: ${toHex(value)}`);
    } else if (format === "raw") outBytes(value);
    else out(new TextDecoder().decode(encode(value, format)));
  },
  json: ({ key_id, version, value, outFile }) => ({
    key_id,
    version,
    ...(outFile === undefined ? { value: toHex(value) } : { out_file: outFile }),
  }),
});

function encode(value: Uint8Array, format: Format): Uint8Array {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  switch (format) {
    case "raw":
      return value;
    case "hex":
      return new TextEncoder().encode(bytes.toString("hex"));
    case "base64":
      return new TextEncoder().encode(bytes.toString("base64"));
    case "base64-url-no-pad":
      return new TextEncoder().encode(bytes.toString("base64url"));
  }
}
