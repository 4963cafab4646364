import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import rootManifest from "../../package.json" with { type: "json" };
import { pnpm, root } from "./pack.js";

const run = promisify(execFile);
const versions: Readonly<Record<string, string>> = rootManifest.devDependencies;

/** The dependencies of somebody who installs `names`: packages of ours from `tarballs`, others as this workspace has them. */
function dependenciesOf(names: readonly string[], tarballs: ReadonlyMap<string, string>): Record<string, string> {
  const sources = names.map((name) => {
    const tarball = name.startsWith("@basil/") ? tarballs.get(name.slice("@basil/".length)) : undefined;
    const source = tarball === undefined ? versions[name] : `file:${tarball}`;
    if (source === undefined || source.startsWith("workspace:")) throw new Error(`nothing to install ${name} from`);
    return [name, source] as const;
  });
  return Object.fromEntries(sources);
}

/** Installs tarballs, and packages of others by name, with npm into a fresh project. What is not named is not there. */
export async function installWithNpm(
  project: string,
  tarballs: ReadonlyMap<string, string>,
  { others = [], flags = [] }: { readonly others?: readonly string[]; readonly flags?: readonly string[] } = {},
): Promise<void> {
  const ours = [...tarballs.keys()].map((folder) => `@basil/${folder}`);
  const dependencies = dependenciesOf([...ours, ...others], tarballs);
  await mkdir(project, { recursive: true });
  await writeFile(
    join(project, "package.json"),
    JSON.stringify({ name: "someone", private: true, type: "module", dependencies }),
  );
  await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", ...flags], { cwd: project });
}

/**
 * Installs with pnpm: one project a folder of `wanted`, each with nothing but the packages it names. `overrides` puts the
 * tarballs in the place of our packages wherever they are depended on.
 */
export async function installWithPnpm(
  workspace: string,
  wanted: ReadonlyMap<string, readonly string[]>,
  tarballs: ReadonlyMap<string, string>,
): Promise<void> {
  await mkdir(workspace, { recursive: true });
  const overrides = [...tarballs].map(([folder, tarball]) => `  "@basil/${folder}": "file:${tarball}"`);
  const page = await readFile(join(root, "docs", "troubleshooting.md"), "utf8");
  const [, advice = ""] = /^```yaml\n(allowBuilds: [^\n]*)\n```$/m.exec(page) ?? [];
  const settings = ["packages: ['*']", "overrides:", ...overrides, advice];
  await writeFile(join(workspace, "pnpm-workspace.yaml"), `${settings.join("\n")}\n`);
  await writeFile(join(workspace, "package.json"), JSON.stringify({ name: "someone", private: true }));
  for (const [folder, names] of wanted) {
    await mkdir(join(workspace, folder), { recursive: true });
    const dependencies = dependenciesOf(names, tarballs);
    const ranges = Object.entries(dependencies).map(([name, source]) => [
      name,
      source.startsWith("file:") ? "*" : source,
    ]);
    await writeFile(
      join(workspace, folder, "package.json"),
      JSON.stringify({
        name: `uses-${folder}`,
        private: true,
        type: "module",
        dependencies: Object.fromEntries(ranges),
      }),
    );
  }
  await pnpm(["install", "--prefer-offline"], workspace);
}
