import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import {
  type AgentSettings,
  declareSettings,
  resolveSettings,
  type SettingsOptions,
} from "../config/agent-settings.js";
import { type DoctorReport, doctorReport, renderDoctorReport } from "../doctor/report.js";
import { EXIT } from "../exit-code.js";
import { declarePlugins } from "../plugins/plugin-kinds.js";

interface DoctorOptions extends SettingsOptions {
  readonly strict?: boolean;
  readonly keys?: boolean;
  readonly live?: boolean;
}

export const doctor = defineCommand<DoctorOptions, { readonly report: DoctorReport; readonly strict: boolean }>({
  name: "doctor",
  summary: "check that the agent would start; changes nothing",
  strayOperand: "--config",
  examples: [
    "basil doctor -c agent.toml",
    "basil doctor -c agent.toml --live",
    "basil doctor --catalog catalog.json --policy policy.json --json",
  ],
  declare(command) {
    declareSettings(command);
    declarePlugins(command);
    command
      .option("--keys", "also unlock the bundle and look for every key, by metadata alone")
      .option("--live", "also unlock the bundle and prove what its AWS identities can do, by reads and dry runs")
      .option("--strict", "exit 1 for warnings, too");
  },
  async run({ options }, context) {
    using _ = context.terminal.working("checking");
    const { configurationRefused, preflight } = await import("../doctor/preflight.js");
    const { strict = false } = options;
    let settings: AgentSettings | CliError;
    try {
      settings = await resolveSettings(options, context);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      settings = error;
    }
    if (settings instanceof CliError) return { report: doctorReport(configurationRefused(settings)), strict };
    const checks = await preflight(settings, context);
    if (options.keys) checks.push(...(await (await import("../doctor/key-checks.js")).checkKeys(settings, context)));
    if (options.live) checks.push(...(await (await import("../doctor/live-checks.js")).checkLive(settings, context)));
    return { report: doctorReport(checks), strict };
  },
  render({ report }, terminal) {
    renderDoctorReport(report, terminal);
  },
  json: ({ report }) => report,
  jsonStyle: "document",
  exitCode: ({ report: { summary }, strict }) =>
    summary.blocking || (strict && summary.warn > 0) ? EXIT.no : EXIT.done,
});
