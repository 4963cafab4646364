import { BundleError } from "./errors.js";
import { errnoOf } from "./file-layer.js";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied (EACCES)",
  EPERM: "not permitted (EPERM)",
  EISDIR: "it is a folder (EISDIR)",
  ENOTDIR: "a part of the path is not a folder (ENOTDIR)",
};

export function readFailure(path: string, cause: unknown): BundleError<"IO"> | BundleError<"NOT_A_PLAIN_FILE"> {
  const errno = errnoOf(cause);
  // What O_NOFOLLOW answers for a symbolic link (open(2)).
  if (errno === "ELOOP") return new BundleError("NOT_A_PLAIN_FILE", `${path} is a symbolic link`, { path }, { cause });
  const why =
    errno === undefined ? (cause instanceof Error ? cause.message : String(cause)) : (REASONS[errno] ?? errno);
  return new BundleError(
    "IO",
    `${path} cannot be read: ${why}`,
    { path, ...(errno !== undefined && { errno }) },
    { cause },
  );
}
