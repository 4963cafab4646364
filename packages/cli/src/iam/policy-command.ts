import { defineCommand } from "../command.js";
import type { IamDocument } from "./iam-document.js";
import { declareWantedPolicy, type WantedPolicyOptions, wantedPolicy } from "./wanted-policy.js";

export const policy = defineCommand<WantedPolicyOptions, IamDocument>({
  name: "policy",
  summary: "write the IAM policy of an identity; with --policy only what its rules let somebody do",
  examples: [
    "basil iam policy --identity runtime --catalog catalog.json --region us-east-1",
    "basil iam policy --identity runtime --catalog catalog.json --policy policy.json --arn jwt.signing.primary=arn:aws:kms:…",
    "basil iam policy --identity provisioner --catalog catalog.json --region us-east-1 --account 111122223333",
  ],
  declare: declareWantedPolicy,
  async run({ options }, context) {
    using _ = context.terminal.working("working on the policy");
    return (await wantedPolicy(options, context)).document;
  },
  render(document, { out }) {
    out(JSON.stringify(document, null, 2));
  },
  jsonStyle: "document",
});
