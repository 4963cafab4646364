import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import type { AuditVerification, ChainHead } from "@basil/broker";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { fileProblem } from "../config/read-document.js";
import type { CommandContext } from "../context.js";
import { counted } from "../counted.js";
import { EXIT } from "../exit-code.js";

interface VerifyOptions {
  readonly checkpoint?: readonly string[];
}

export const verify = defineCommand<VerifyOptions, AuditVerification>({
  name: "verify",
  summary: "follow the chain of an audit log, or of rotated ones, oldest first",
  examples: [
    "basil audit verify /var/log/basil/audit.jsonl",
    "basil audit verify audit.jsonl.2 audit.jsonl.1 audit.jsonl --checkpoint 1000:HASH",
  ],
  declare(command) {
    command
      .argument("<file...>", "the log; rotated ones before the current one; - is standard input")
      .option(
        "--checkpoint <seq:hash>",
        "a checkpoint that was kept elsewhere; may be repeated",
        (text: string, before: readonly string[] = []) => [...before, text],
      );
  },
  async run({ options, operands }, context) {
    const { parseCheckpoint, verifyAudit } = await import("@basil/broker");
    const checkpoints = (options.checkpoint ?? []).map((text) => asUsage(() => parseCheckpoint(text)));
    const found = await verifyAudit(bytesOf(operands, context), { checkpoints });
    if (found.lines === 0) context.terminal.err("warning: there is not one whole line; is this an audit log?");
    return found;
  },
  render({ ok, lines, unchained, recovered, groupedDenials, tornBytes, first, last, problems }, { out }) {
    for (const { line, kind, message } of problems)
      out(`${line === 0 ? "not there" : `line ${line}`}: ${kind}: ${message}`);
    out(`${ok ? "ok" : "broken"}: ${counted(lines, "line")}`);
    if (first !== undefined) out(`first: ${first.seq}, continues ${first.hash}`);
    if (last !== undefined) out(`checkpoint: ${last.seq}:${last.hash}`);
    if (unchained > 0) out(`without a chain, at the beginning: ${unchained}`);
    if (recovered > 0) out(`torn by a writer that was killed, closed and marked by the next: ${recovered}`);
    if (groupedDenials > 0) out(`denials recorded in groups: ${groupedDenials}`);
    if (tornBytes > 0) out(`after the last whole line: ${counted(tornBytes, "byte")}`);
  },
  exitCode: ({ ok }) => (ok ? EXIT.done : EXIT.no),
});

async function* bytesOf(files: readonly string[], { cwd, stdin }: CommandContext): AsyncGenerator<Uint8Array> {
  for (const file of files) {
    try {
      yield* file === "-" ? stdin : createReadStream(resolve(cwd, file));
    } catch (error) {
      const remedy = "give the files of one log, oldest first";
      throw new CliError(
        "FILE",
        `${file} cannot be read: ${fileProblem(error)}`,
        { path: file },
        { cause: error, remedy },
      );
    }
  }
}

function asUsage(parse: () => ChainHead): ChainHead {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CliError("USAGE", `--checkpoint: ${error.message}`, { flag: "--checkpoint" }, { cause: error });
  }
}
