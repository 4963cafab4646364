import type { CommandGroup } from "../command.js";
import { policy } from "./policy-command.js";
import { trust } from "./trust-command.js";

/** `basil iam …`: the documents AWS wants, written from the catalog. */
export const iam: CommandGroup = {
  name: "iam",
  summary: "write the IAM documents of a deployment",
  commands: [policy, trust],
};
