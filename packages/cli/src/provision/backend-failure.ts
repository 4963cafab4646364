import type { AnyBackendError } from "@basil/core";
import { CliError } from "../cli-error.js";

/** What a backend refused, with what to do about it; `identity` is whose job this is. */
export function backendFailure(error: AnyBackendError, identity: "provisioner" | "rotator"): CliError {
  const options = (remedy: string) => ({ cause: error, remedy });
  const policy = `'basil iam policy --identity ${identity}' writes what it needs`;
  switch (error.code) {
    case "UNAVAILABLE":
      return new CliError("UNAVAILABLE", error.message, {}, options("run it again; it goes on where it stopped"));
    case "DEADLINE_EXCEEDED":
    case "CANCELLED":
      return new CliError("DEADLINE", error.message, {}, options("run it again; it goes on where it stopped"));
    case "ACCESS_DENIED":
    case "UNSUPPORTED":
      return new CliError(
        "FAILED",
        error.message,
        { reason: error.code },
        options(`run it as the ${identity}; ${policy}`),
      );
    default:
      return new CliError(
        "FAILED",
        error.message,
        { reason: error.code },
        options("correct what the message names, then run it again; it goes on where it stopped"),
      );
  }
}
