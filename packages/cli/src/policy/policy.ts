import type { CommandGroup } from "../command.js";
import { diff } from "./diff.js";
import { lint } from "./lint.js";
import { test } from "./test.js";
import { whoCan } from "./who-can.js";

/** `basil policy …`: the documents alone, no broker is asked. */
export const policy: CommandGroup = {
  name: "policy",
  summary: "lint, test, compare and question a policy",
  commands: [lint, test, diff, whoCan],
};
