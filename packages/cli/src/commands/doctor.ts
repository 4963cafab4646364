import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import {
  type AgentSettings,
  declareSettings,
  resolveSettings,
  type SettingsOptions,
} from "../config/agent-settings.js";
import { configurationRefused, preflight } from "../doctor/preflight.js";
import { type DoctorReport, doctorReport, renderDoctorReport } from "../doctor/report.js";
import { EXIT } from "../exit-code.js";

interface DoctorOptions extends SettingsOptions {
  readonly strict?: boolean;
}

export const doctor = defineCommand<DoctorOptions, { readonly report: DoctorReport; readonly strict: boolean }>({
  name: "doctor",
  summary: "check that the agent would start; changes nothing",
  examples: ["basil doctor -c agent.toml", "basil doctor --catalog catalog.json --policy policy.json --json"],
  declare(command) {
    declareSettings(command);
    command.option("--strict", "exit 1 for warnings, too");
  },
  async run({ options }, context) {
    let settings: AgentSettings | CliError;
    try {
      settings = await resolveSettings(options, context);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      settings = error;
    }
    const checks = settings instanceof CliError ? configurationRefused(settings) : await preflight(settings, context);
    return { report: doctorReport(checks), strict: options.strict ?? false };
  },
  render({ report }, terminal) {
    renderDoctorReport(report, terminal);
  },
  json: ({ report }) => report,
  jsonStyle: "document",
  exitCode: ({ report: { summary }, strict }) =>
    summary.blocking || (strict && summary.warn > 0) ? EXIT.no : EXIT.done,
});
