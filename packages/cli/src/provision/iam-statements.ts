import { z } from "zod";
import { CliError } from "../cli-error.js";
import { readDocument } from "../config/read-document.js";

const texts = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const statementSchema = z.looseObject({
  Effect: z.enum(["Allow", "Deny"]),
  Action: texts.optional(),
  NotAction: texts.optional(),
  Resource: texts.optional(),
  NotResource: texts.optional(),
  Condition: z.record(z.string(), z.record(z.string(), texts)).optional(),
});
const documentSchema = z.looseObject({
  Statement: z.union([statementSchema, z.array(statementSchema)]).transform((value) => [value].flat()),
});

/** A statement of an IAM policy, as far as a decision on a KMS key reads it; single values are lists of one. */
export type PolicyStatement = z.output<typeof statementSchema>;

/** @throws {@link CliError} `FILE`, `DOCUMENT_REFUSED`. */
export async function readStatements(path: string, cwd: string): Promise<PolicyStatement[]> {
  const bytes = await readDocument(path, "runtime policy", cwd);
  const refused = (problems: readonly string[], cause?: unknown) =>
    new CliError(
      "DOCUMENT_REFUSED",
      `the runtime policy ${path} is refused`,
      { path, problems },
      { cause, remedy: "give the IAM policy document of the daemon's identity, as AWS has it" },
    );
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refused(["it is not JSON"], cause);
  }
  const parsed = documentSchema.safeParse(value);
  if (parsed.success) return parsed.data.Statement;
  throw refused(parsed.error.issues.map(({ path: at, message }) => `${at.join(".") || "document"}: ${message}`));
}
