import { type FileHandle, open, stat } from "node:fs/promises";
import { resolve } from "node:path";

/** Enough for some thousand records; what was used longer ago than that is not compared. */
const MOST_BYTES = 1024 * 1024;
/** Operations that always use the newest version of a key. */
const ON_THE_NEWEST: ReadonlySet<unknown> = new Set(["sign", "encrypt"]);

/**
 * Which backend key each catalog key was last used as, by the end of the agent's audit log: what a name led to when it last
 * worked. Empty without a log, and without what cannot be read of it.
 *
 * @returns full names such as key ARNs, by catalog key.
 */
export async function lastUsedResources(
  auditLog: string | undefined,
  cwd: string,
): Promise<ReadonlyMap<string, string>> {
  if (auditLog === undefined) return new Map();
  const path = resolve(cwd, auditLog);
  // A pipe is no log that could be read, and to open one waits for a writer.
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  const file = isFile ? await open(path, "r").catch(() => undefined) : undefined;
  if (file === undefined) return new Map();
  try {
    return resourcesIn(await endOf(file));
  } finally {
    await file.close();
  }
}

async function endOf(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const from = Math.max(0, size - MOST_BYTES);
  const bytes = new Uint8Array(size - from);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
  return new TextDecoder().decode(bytes.subarray(0, bytesRead));
}

/** The last line that names a key wins; a line that was cut or is of another kind is passed over. */
function resourcesIn(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const { op, result, target_id: key, resource } = recordOf(line);
    if (!ON_THE_NEWEST.has(op) || result !== "ok" || typeof key !== "string" || typeof resource !== "string") continue;
    found.set(key, resource);
  }
  return found;
}

function recordOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
