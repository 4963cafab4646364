import type { CommandGroup } from "../command.js";
import { verify } from "./verify-command.js";

/** `basil audit …`: what can be learned from an audit log without its broker. */
export const audit: CommandGroup = {
  name: "audit",
  summary: "check an audit log",
  commands: [verify],
};
