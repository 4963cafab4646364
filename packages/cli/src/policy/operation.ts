import { nearest } from "@basil/catalog";
import { isOperation, OPERATIONS, type Operation } from "@basil/policy";
import { CliError } from "../cli-error.js";

/** @throws {@link CliError} `USAGE` for a text that is no operation. */
export function readOperation(text: string, flag: string): Operation {
  if (isOperation(text)) return text;
  const near = nearest(text, OPERATIONS);
  throw new CliError(
    "USAGE",
    `${flag} is ${JSON.stringify(text)}, which is no operation${near === undefined ? "" : `; did you mean ${near}?`}`,
    { flag },
    { remedy: `allowed: ${OPERATIONS.join(", ")}` },
  );
}
