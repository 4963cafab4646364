import type { CommandGroup } from "../command.js";
import { diff } from "./diff-command.js";
import { policy } from "./policy-command.js";
import { trust } from "./trust-command.js";

/** `basil iam …`: the documents AWS wants, written from the catalog. */
export const iam: CommandGroup = {
  name: "iam",
  summary: "write the IAM documents of a deployment, and compare deployed ones",
  commands: [policy, diff, trust],
};
