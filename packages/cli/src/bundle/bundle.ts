import type { CommandGroup } from "../command.js";
import { create } from "./create.js";
import { setBackend } from "./set-backend.js";
import { show } from "./show.js";

/** `basil bundle …`: all of it works on files alone, no broker is asked. */
export const bundle: CommandGroup = {
  name: "bundle",
  summary: "make, change and check the sealed bundle of backend credentials",
  commands: [create, setBackend, show],
};
