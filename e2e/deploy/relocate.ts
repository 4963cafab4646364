import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";

/** The folders that deployments name, longest first. */
const PLACES = [
  "/run/credentials/basil.service",
  "/run/basil",
  "/var/lib/basil",
  "/var/log/basil",
  "/etc/basil",
  "/secret",
];

/** Makes each folder that a deployment names below `root`, and gives what moves a text there. */
export async function relocate(root: string): Promise<(text: string) => string> {
  for (const place of PLACES) {
    await mkdir(join(root, place), { recursive: true });
    await chmod(join(root, place), 0o700);
  }
  return (text) => text.replace(new RegExp(PLACES.join("|"), "g"), (place) => join(root, place));
}
