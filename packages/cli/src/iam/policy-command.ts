import { defineCommand } from "../command.js";
import type { IamDocument } from "./iam-document.js";
import { declareWantedPolicy, identityOption, type WantedPolicyOptions, wantedPolicy } from "./wanted-policy.js";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html; white space does not count. */
const MANAGED_POLICY_LENGTH = 6144;

export const policy = defineCommand<WantedPolicyOptions, IamDocument>({
  name: "policy",
  summary: "write the IAM policy of an identity; with --policy only what its rules let somebody do",
  examples: [
    "basil iam policy --identity runtime --catalog catalog.json --region us-east-1",
    "basil iam policy --identity runtime --catalog catalog.json --policy policy.json --arn jwt.signing.primary=arn:aws:kms:…",
    "basil iam policy --identity provisioner --catalog catalog.json --region us-east-1 --account 111122223333",
  ],
  declare: (command) => declareWantedPolicy(command, identityOption().makeOptionMandatory()),
  async run({ options }, context) {
    using _ = context.terminal.working("working on the policy");
    const { document, remarks } = await wantedPolicy(options, context);
    for (const remark of remarks) context.terminal.err(`note: ${remark}`);
    const size = JSON.stringify(document).length;
    if (size > MANAGED_POLICY_LENGTH) {
      const { err, errColors } = context.terminal;
      const limits = `a managed policy of AWS has at most ${MANAGED_POLICY_LENGTH}, the inline policies of a role 10240 together`;
      const advice = options.identity === "runtime" ? "; --style request-alias names no keys" : "";
      err(
        `${errColors.yellow("warning:")} the policy has ${size} characters, white space not counted; ${limits}${advice}`,
      );
    }
    return document;
  },
  render(document, { out }) {
    out(JSON.stringify(document, null, 2));
  },
  jsonStyle: "document",
});
