import { defineCommand } from "../command.js";
import type { CommandContext } from "../context.js";
import { nonEmpty } from "../option-values.js";
import { writeTable } from "../table.js";
import type { GrantDifference, PolicyDifference } from "./compare-policies.js";
import type { PolicyStatement } from "./policy-statement.js";
import { declareWantedPolicy, identityOption, type WantedPolicyOptions, wantedPolicy } from "./wanted-policy.js";

const ACTIONS_SHOWN = 8;

export const diff = defineCommand<WantedPolicyOptions, PolicyDifference>({
  name: "diff",
  summary: "compare deployed IAM policies with what 'iam policy' writes: what they grant too much or too little",
  examples: [
    "basil iam diff deployed.json --catalog catalog.json --region us-east-1",
    "basil iam diff deployed.json --identity runtime --catalog catalog.json --policy policy.json --arn jwt.signing.primary=arn:aws:kms:…",
    "aws iam get-policy-version --policy-arn ARN --version-id v1 | basil iam diff - --identity provisioner --catalog catalog.json --region us-east-1 --account 111122223333",
  ],
  declare(command) {
    command.argument("<file...>", "every policy of the identity, as AWS has it; - is standard input", nonEmpty);
    declareWantedPolicy(command, identityOption().default("runtime"));
  },
  async run({ options, operands }, context) {
    using _ = context.terminal.working("comparing the policies");
    const { readPolicy } = await import("./read-policy.js");
    const { comparePolicies } = await import("./compare-policies.js");
    const { deploymentOf } = await import("./wanted-deployment.js");
    const deployed: PolicyStatement[] = [];
    for (const file of operands) {
      const statements = file === "-" ? await fromStdin(context) : await readPolicy(file, "policy", context.cwd);
      const prefix = operands.length > 1 ? `${file}: ` : "";
      deployed.push(...statements.map((statement) => ({ ...statement, place: `${prefix}${statement.place}` })));
    }
    const wanted = await wantedPolicy(options, context);
    const { parsePolicyText } = await import("./read-policy.js");
    const text = new TextEncoder().encode(JSON.stringify(wanted.document));
    const compared = comparePolicies(parsePolicyText(text, "wanted", "policy"), deployed, await deploymentOf(wanted));
    return { ...compared, remarks: [...compared.remarks, ...wanted.remarks] };
  },
  render(report, { out, ...terminal }) {
    const rows = (["lacking", "excess", "unjudged"] as const).flatMap((side) =>
      report[side].map((difference) => [side, ...cellsOf(difference)]),
    );
    writeTable(["DIFFERENCE", "KEY", "ACTIONS", "RESOURCE", "NOTE"], rows, { out, ...terminal });
    for (const remark of report.remarks) terminal.err(`note: ${remark}`);
    if (report.equal) out("equal: they grant what the identity needs, and nothing else of KMS");
  },
  jsonStyle: "document",
  exitCode: ({ equal }) => (equal ? 0 : 1),
});

async function fromStdin(context: CommandContext): Promise<PolicyStatement[]> {
  const { readPayload } = await import("../payload.js");
  const { parsePolicyText } = await import("./read-policy.js");
  return parsePolicyText(await readPayload(["-"], {}, context, 1024 * 1024), "-", "policy");
}

function cellsOf({ key = "", version, actions, resource, example, alias, because = [] }: GrantDifference): string[] {
  const more = actions.length - ACTIONS_SHOWN;
  const shown = actions.slice(0, ACTIONS_SHOWN).join(", ");
  const note = [
    ...(version === undefined ? [] : [`version ${version}`]),
    ...(example === undefined ? [] : [`such as ${example}`]),
    ...(alias === undefined ? [] : [`asked for as ${alias}`]),
    ...(because.length === 0 ? [] : [`depends on ${because.join("; ")}`]),
  ];
  return [key, more > 0 ? `${shown} and ${more} more` : shown, resource, note.join("; ")];
}
