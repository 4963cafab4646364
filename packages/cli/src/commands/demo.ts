import { installCommand, isInstalled } from "../backend-kinds.js";
import { CliError } from "../cli-error.js";
import { defineCommand, type GlobalOptions } from "../command.js";
import { nonEmpty } from "../option-values.js";

interface DemoOptions extends GlobalOptions {
  readonly dir?: string;
  readonly keep?: boolean;
  readonly json?: boolean;
}

interface DemoReport {
  readonly steps: readonly {
    readonly command: string;
    readonly exit_code: number;
    readonly stdout: string;
    readonly stderr: string;
  }[];
}

const PACKAGES = ["@basil/aws-kms-emulator", "@basil/backend-aws-kms"];

export const demo = defineCommand<DemoOptions, DemoReport>({
  name: "demo",
  summary: "show the whole product on an AWS KMS of its own: keys, agents, signatures, denials, audit",
  examples: ["basil demo", "basil demo --keep"],
  declare(command) {
    command
      .option("--keep", "leave everything running until Ctrl-C, to try commands by hand")
      .option("--dir <folder>", "work in this empty folder (default: a new temporary one)", nonEmpty);
  },
  async run({ options }, context) {
    const missing = PACKAGES.filter((name) => !isInstalled(name));
    if (missing.length > 0) {
      throw new CliError(
        "PACKAGE_MISSING",
        `the demo needs ${missing.join(" and ")}`,
        { package: missing.join(" ") },
        {
          remedy: `install it: ${installCommand(missing.join(" "))}`,
        },
      );
    }
    const { runDemo } = await import("../demo/run-demo.js");
    const { SILENT_NARRATOR, terminalNarrator } = await import("../demo/narrator.js");
    const narrator = options.json ? SILENT_NARRATOR : terminalNarrator(context.terminal);
    const { dir: folder, keep = false } = options;
    try {
      const lines = await runDemo({ keep, ...(folder !== undefined && { folder }) }, context, narrator);
      return {
        steps: lines.map(({ line, exitCode, stdout, stderr }) => ({
          command: line,
          exit_code: exitCode,
          stdout,
          stderr,
        })),
      };
    } catch (error) {
      if (!context.signal.aborted) throw error;
      throw new CliError(
        "DEADLINE",
        `interrupted by ${String(context.signal.reason)}`,
        {},
        {
          remedy: "everything it had started is stopped and removed",
        },
      );
    }
  },
  render() {},
});
