import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { type WorkFolder, workFolder } from "./basil.js";

// Each command is a process, and each use of a passphrase half a second of a free core.
vi.setConfig({ testTimeout: 120_000 });

/** 500 in the long run: `pnpm --filter @basil/bundle test:long`. */
const KILLS = Number(process.env.BASIL_BUNDLE_KILLS ?? 4);
const OPEN = ["--open", "age:identity=identity"];

// A key of age's own test data (age's README), so that no half second goes into a passphrase.
const IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

async function withBundle(): Promise<WorkFolder> {
  const work = await workFolder();
  await writeFile(join(work.folder, "identity"), `${IDENTITY}\n`);
  const created = await work.basil("bundle", "create", "creds.sealed", "--slot", `age:recipient=${RECIPIENT}`);
  expect(created.status, created.stderr).toBe(0);
  return work;
}
const setBackend = (id: string) => [
  "bundle",
  "set-backend",
  "creds.sealed",
  "--backend",
  `id=${id},type=aws-kms,region=us-east-1`,
  ...OPEN,
];
const backendsOf = async ({ basil }: WorkFolder): Promise<string[]> => {
  const shown = await basil("bundle", "show", "creds.sealed", ...OPEN, "--json");
  expect(shown.status, shown.stderr).toBe(0);
  return JSON.parse(shown.stdout).backends.map(({ id }: { id: string }) => id);
};

describe("processes that change one bundle at once", () => {
  it("all have their change in it at the end", async () => {
    const work = await withBundle();
    const ids = ["a", "b", "c", "d"];
    const answers = await Promise.all(ids.map((id) => work.basil(...setBackend(id))));
    expect(answers.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(await backendsOf(work)).toEqual(ids);
    expect(await readFile(join(work.folder, "creds.sealed.epoch"), "utf8")).toBe("5\n");
  });
});

describe("a process killed while it changes a bundle", () => {
  it("leaves the old or the new content, and the next one cleans up", async () => {
    const work = await withBundle();
    const began = performance.now();
    await work.basil(...setBackend("first"));
    const duration = performance.now() - began;
    let expected = await backendsOf(work);
    for (let kill = 0; kill < KILLS; kill++) {
      const id = `kill-${kill % 20}`;
      const child = work.start(...setBackend(id));
      const exited = once(child, "exit");
      // Spread over the whole run, the later half more closely: that is where the writing is.
      await sleep(duration * (0.3 + (0.7 * ((kill * 37) % 101)) / 101));
      child.kill("SIGKILL");
      await exited;
      const found = await backendsOf(work);
      const changed = [...new Set([...expected, id])].sort();
      expect([expected, changed], `after kill ${kill}`).toContainEqual(found);
      expected = found;
    }
    expect((await work.basil(...setBackend("last"))).status).toBe(0);
    expect((await readdir(work.folder)).sort()).toEqual(["creds.sealed", "creds.sealed.epoch", "identity"]);
  }, 1_200_000);
});

describe("a copy that is older than its sidecar", () => {
  it("is told of once: as a warning while nothing is opened, as the failure when something is", async () => {
    const work = await withBundle();
    const path = join(work.folder, "creds.sealed");
    const copy = await readFile(path);
    await work.basil(...setBackend("later"));
    await writeFile(path, copy, { mode: 0o600 });
    const told = (stderr: string) => stderr.match(/an older copy was restored/g)?.length;
    const closed = await work.basil("bundle", "show", "creds.sealed");
    expect([closed.status, told(closed.stderr)]).toEqual([0, 1]);
    const refused = await work.basil("bundle", "show", "creds.sealed", ...OPEN);
    expect([refused.status, told(refused.stderr)]).toEqual([1, 1]);
    const accepted = await work.basil("bundle", "show", "creds.sealed", ...OPEN, "--accept-rollback");
    expect([accepted.status, told(accepted.stderr)]).toEqual([0, 1]);
  });
});
