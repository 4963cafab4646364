import type { CommandGroup } from "../command.js";
import { addSlot } from "./add-slot.js";
import { allow } from "./allow.js";
import { create } from "./create.js";
import { deposit } from "./deposit.js";
import { depositKey } from "./deposit-key.js";
import { disallow } from "./disallow.js";
import { dropDeposit } from "./drop-deposit.js";
import { promote } from "./promote.js";
import { rekey } from "./rekey.js";
import { removeBackend } from "./remove-backend.js";
import { removeSlot } from "./remove-slot.js";
import { setBackend } from "./set-backend.js";
import { show } from "./show.js";
import { verify } from "./verify.js";

/** `basil bundle …`: all of it works on files alone, no broker is asked. */
export const bundle: CommandGroup = {
  name: "bundle",
  summary: "make, change and check the sealed bundle of backend credentials",
  commands: [
    create,
    addSlot,
    removeSlot,
    setBackend,
    removeBackend,
    rekey,
    verify,
    show,
    depositKey,
    allow,
    disallow,
    deposit,
    promote,
    dropDeposit,
  ],
};
