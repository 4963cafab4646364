import type { AnyBrokerError } from "@basil/broker";
import { CliError } from "../cli-error.js";

/** Why the agent does not start, in the operator's words. `setting` is what was wrong, where that is known. */
export function startupFailure(error: AnyBrokerError, setting?: string): CliError {
  const failed = (message: string, remedy: string): CliError => {
    const named = setting === undefined ? message : `${setting}: ${message}`;
    return new CliError("FAILED", named, { reason: error.code }, { cause: error, remedy });
  };
  switch (error.code) {
    case "CAPABILITY_GAPS":
    case "RECONCILE_FAILED": {
      const [headline = error.message, ...problems] = error.message.split("\n");
      const remedy =
        error.code === "CAPABILITY_GAPS"
          ? 'change the catalog as each line says; capability-policy = "degraded" tolerates gaps of keys that may be missing'
          : "correct what each line names, then start again; nothing was served";
      return new CliError(
        "DOCUMENT_REFUSED",
        headline.replace(/:$/, ""),
        { path: "", problems },
        { cause: error, remedy },
      );
    }
    case "CREDENTIAL_MISSING": {
      const { backend, kind } = error.details;
      return failed(
        error.message,
        `seal one: basil bundle set-backend BUNDLE --backend id=${backend},type=${kind},… --open …`,
      );
    }
    case "CREDENTIAL_KIND_MISMATCH":
    case "CREDENTIAL_INVALID":
      return failed(error.message, "seal it anew with 'basil bundle set-backend'");
    case "BACKEND_CONTRACT":
      return failed(error.message, "take the backend out of the catalog, and tell the author of its package");
    case "PLATFORM_UNSUPPORTED":
      return failed(error.message, "install as the message says; elsewhere than on Linux and macOS no agent serves");
    case "SOCKET_IN_USE":
      return failed(error.message, "stop the broker that serves there, or choose another socket");
    case "SOCKET_PATH_OCCUPIED":
      return failed(error.message, "move what is there away, or choose another socket");
    case "SOCKET_PATH_INVALID":
      return failed(error.message, "create the folder, or choose a shorter path in a folder that exists");
    case "SOCKET_FAILED":
      return failed(error.message, "let the agent's user write to the folder, or choose another path");
    case "SOCKET_GROUP_UNKNOWN":
      return failed(error.message, "name a group of /etc/group in socket-group, or a numeric gid");
    case "AUDIT_UNAVAILABLE":
      return failed(
        error.message,
        "stop the agent that writes it, or name another file in audit-log: in a folder that exists and is writable",
      );
    default:
      return failed(error.message, "correct what the message names, then start again; nothing was served");
  }
}
