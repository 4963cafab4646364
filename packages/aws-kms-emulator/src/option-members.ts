import { EmulatorError } from "./errors.js";

/** The names of an options type; the compiler asks for every one of them. */
export type Members<T> = Readonly<Record<keyof T, true>>;

/**
 * Checks that an options object has no member but those of its type: a misspelled one would be ignored in silence.
 *
 * @param path - Place of the object in the options, e.g. `roles[0]`; empty for the options themselves.
 * @throws {@link EmulatorError} `OPTION_INVALID`
 */
export function checkMembers<T extends object>(options: T, members: Members<T>, path = ""): void {
  const invalid = (at: string, message: string) =>
    new EmulatorError("OPTION_INVALID", `${at}: ${message}`, { path: at });
  if (typeof options !== "object" || options === null) {
    throw invalid(path || "options", `must be an object, found ${JSON.stringify(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(members, name)) continue;
    throw invalid(
      path === "" ? name : `${path}.${name}`,
      `is not an option; allowed: ${Object.keys(members).join(", ")}`,
    );
  }
}
