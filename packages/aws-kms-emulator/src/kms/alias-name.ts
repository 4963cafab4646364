import { Refusal } from "../refusal.js";

/** Refuses what is not `alias/` and `[a-zA-Z0-9/_-]+`, and the names that belong to AWS services. */
export function checkAliasName(name: string): void {
  if (!name.startsWith("alias/") || name.length === "alias/".length) {
    throw new Refusal(
      "ValidationException",
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  }
  if (name.startsWith("alias/aws/")) throw new Refusal("NotAuthorizedException");
  // The pattern of the member lets a colon through.
  if (name.includes(":")) throw new Refusal("ValidationException", `${name} contains invalid characters for an alias`);
}
