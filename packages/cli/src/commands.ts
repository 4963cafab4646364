import type { CommandGroup, RegisteredCommand } from "./command.js";

/** Every command, in the order `basil --help` shows them. */
export const commands: readonly (RegisteredCommand | CommandGroup)[] = [];
