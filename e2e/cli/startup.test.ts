import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { typed } from "./typed.js";

/** The packages whose modules a line has loaded, as V8's coverage lists them. */
async function loadedPackages(line: string): Promise<Set<string>> {
  const folder = await mkdtemp(join(tmpdir(), "basil-startup-"));
  try {
    await typed(line, { env: { NODE_V8_COVERAGE: folder, BASIL_SOCKET: join(folder, "no.sock") } });
    const packages = new Set<string>();
    for (const name of await readdir(folder)) {
      const { result } = JSON.parse(await readFile(join(folder, name), "utf8")) as { result: { url: string }[] };
      for (const { url } of result) {
        const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
        const ours = /\/packages\/([^/]+)\/dist\//.exec(url)?.[1];
        if (installed !== undefined) packages.add(installed);
        else if (ours !== undefined) packages.add(`@basil/${ours}`);
      }
    }
    return packages;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("a command loads only what it uses", () => {
  it.for(["basil --version", "basil --help", "basil sign --help"])(
    "%s: nothing but the command line's own",
    async (line) => {
      expect([...(await loadedPackages(line))].sort()).toEqual(["@basil/cli", "commander", "picocolors"]);
    },
  );

  it("basil sign: the client, and no broker, backend, bundle or AWS SDK", async () => {
    const loaded = await loadedPackages("basil sign --key-id k text");
    expect(loaded).toContain("@basil/client");
    for (const name of ["@basil/broker", "@basil/backend-aws-kms", "@basil/bundle", "pino", "@aws-sdk/client-kms"]) {
      expect([...loaded]).not.toContain(name);
    }
  });
});
