import type { CommandGroup } from "../command.js";
import { check } from "./check.js";

/** `basil catalog …`: the document alone, no broker and no backend is asked. */
export const catalog: CommandGroup = {
  name: "catalog",
  summary: "check a catalog",
  commands: [check],
};
