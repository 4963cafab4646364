import type { CommandGroup } from "../command.js";
import { create } from "./create-command.js";
import { rotate } from "./rotate-command.js";

/** `basil provision …`: what the provisioner and the rotator do, as jobs that end; no broker is asked. */
export const provision: CommandGroup = {
  name: "provision",
  summary: "create and rotate the catalog's keys in AWS KMS, as a job of its own identity",
  commands: [create, rotate],
};
