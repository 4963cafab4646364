import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..", "..");

/** One `exports` entry of a published package that has types. */
export interface EntryPoint {
  /** What its report is called: `core`, `backend-conformance.vitest`. */
  readonly name: string;
  /** What a program imports: `@basil/core`, `@basil/backend-conformance/vitest`. */
  readonly specifier: string;
  /** Folder of the package. */
  readonly folder: string;
  /** Its built declarations. */
  readonly types: string;
}

interface Manifest {
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | { readonly types?: string }>>;
}

/** Every typed entry point of every package that is published, in the order of the folders' names. */
export function entryPoints(): EntryPoint[] {
  const packages = join(root, "packages");
  return readdirSync(packages)
    .sort()
    .flatMap((name) => {
      const folder = join(packages, name);
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
      if (manifest.private) return [];
      return Object.entries(manifest.exports ?? {}).flatMap(([path, target]) => {
        if (typeof target === "string" || target.types === undefined) return [];
        const parts = [name, ...path.split("/").slice(1)];
        return [
          { name: parts.join("."), specifier: `@basil/${parts.join("/")}`, folder, types: join(folder, target.types) },
        ];
      });
    });
}
