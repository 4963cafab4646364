import type { AnyBackendError, BackendError } from "@basil/core";
import { CliError } from "../cli-error.js";

/** What a backend refused, with what to do about it; `identity` is whose job this is. */
export function backendFailure(error: AnyBackendError, identity: "provisioner" | "rotator"): CliError {
  const refused = error.code === "ACCESS_DENIED" || error.code === "UNSUPPORTED";
  return readFailure(error, {
    again: "run it again; it goes on where it stopped",
    otherwise: refused
      ? `run it as the ${identity}; 'basil iam policy --identity ${identity}' writes what it needs`
      : "correct what the message names, then run it again; it goes on where it stopped",
  });
}

/** What to do: once the backend answers or the job is not interrupted, and about any other failure. */
interface Remedies {
  readonly again: string;
  readonly otherwise: string;
}

/** A backend's failure, by what an operator has to do about it. */
export function readFailure(error: BackendError, { again, otherwise }: Remedies): CliError {
  const options = (remedy: string) => ({ cause: error, remedy });
  switch (error.code) {
    case "UNAVAILABLE":
      return new CliError("UNAVAILABLE", error.message, {}, options(again));
    case "DEADLINE_EXCEEDED":
    case "CANCELLED":
      return new CliError("DEADLINE", error.message, {}, options(again));
    default:
      return new CliError("FAILED", error.message, { reason: error.code }, options(otherwise));
  }
}
