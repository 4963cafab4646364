import { readFile } from "node:fs/promises";

/** A file of the package's `data` folder, as it stands. */
export function readDemoData(name: string): Promise<string> {
  return readFile(new URL(`../data/${name}`, import.meta.url), "utf8");
}
