import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { escapeField } from "../escape-text.js";
import { EXIT } from "../exit-code.js";

interface ReloadOptions extends BrokerOptions {
  readonly check?: boolean;
}

interface ReloadReport {
  readonly applied: boolean;
  readonly checked: boolean;
  readonly previous_generation: number;
  readonly new_generation: number;
  readonly key_count: number;
  readonly grant_count: number;
  readonly rejection: { readonly reason: string; readonly message: string } | null;
}

export const reload = defineCommand<ReloadOptions, ReloadReport>({
  name: "reload",
  summary: "have the broker read catalog and policy again; exits 1 when it refuses them",
  examples: ["basil reload --check", "basil reload"],
  declare(command) {
    command.option("--check", "only say what would happen");
    declareBroker(command);
  },
  async run({ options }, context) {
    const check = options.check ?? false;
    const answer = await withBroker(options, context, (client, call) => client.reload({ ...call, check }));
    return {
      applied: answer.applied,
      checked: answer.checked,
      previous_generation: answer.previousGeneration,
      new_generation: answer.newGeneration,
      key_count: answer.keyCount,
      grant_count: answer.grantCount,
      rejection: answer.rejection ?? null,
    };
  },
  render(report, { out, err, errColors }) {
    if (report.rejection !== null) {
      out(escapeField(`rejected: ${report.rejection.reason}: ${report.rejection.message}`));
      out(`previous_generation: ${report.previous_generation}`);
      return;
    }
    out(report.checked ? "check: the documents would be taken" : `applied: ${report.applied}`);
    out(`previous_generation: ${report.previous_generation}`);
    out(`${report.checked ? "would_be_generation" : "new_generation"}: ${report.new_generation}`);
    out(`key_count: ${report.key_count}`);
    out(`grant_count: ${report.grant_count}`);
    if (report.grant_count > 0) return;
    err(`${errColors.yellow("warning:")} the policy grants nothing: every caller is denied, and none may reload again`);
    err(`${errColors.cyan("hint:")} add a rule to the policy, then send SIGHUP to the agent, which needs no grant`);
  },
  exitCode: ({ rejection }) => (rejection === null ? EXIT.done : EXIT.no),
});
