import { capabilitiesProblems } from "./capability/capabilities-problems.js";

/** A kind as catalogs and `--backend` specs spell it. */
const KIND = /^[a-z0-9][a-z0-9-]{0,63}$/;

/**
 * What keeps a value from being a `BackendPlugin`, one line each; empty when it is. Members that the contract does not
 * have are let be. A getter that throws is a problem too.
 */
export function pluginProblems(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [`a plugin must be an object, found ${typeof value}`];
  try {
    const { kind, credentialSchema, capabilities, open } = value as Readonly<Record<string, unknown>>;
    const problems: string[] = [];
    if (typeof kind !== "string" || !KIND.test(kind))
      problems.push(
        `kind must be 1 to 64 of a-z, 0-9 and -, not - first; found ${typeof kind === "string" ? JSON.stringify(kind.slice(0, 80)) : typeof kind}`,
      );
    if (typeof (credentialSchema as { safeParse?: unknown } | null | undefined)?.safeParse !== "function")
      problems.push("credentialSchema must be a zod schema: an object with the method safeParse");
    if (typeof open !== "function") problems.push(`open must be a function, found ${typeof open}`);
    return [...problems, ...capabilitiesProblems(capabilities)];
  } catch (error) {
    return [`a member cannot be read: ${error instanceof Error ? error.message : typeof error}`];
  }
}
