import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requireTrustedPath } from "./trusted-path.js";

const root = process.geteuid?.() === 0;
const STRANGER = 54_321;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-trust-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A place for a socket, with the owner and mode of its folder and the owner of the entry. */
async function place(mode: number, folderOwner?: number, entryOwner?: number): Promise<string> {
  const inner = join(folder, "run");
  const path = join(inner, "s");
  await mkdir(inner);
  await writeFile(path, "");
  if (entryOwner !== undefined) await chown(path, entryOwner, -1);
  if (folderOwner !== undefined) await chown(inner, folderOwner, -1);
  await chmod(inner, mode);
  return path;
}

describe("requireTrustedPath", () => {
  it("takes what is our own, whoever may write its folder", async () => {
    await expect(requireTrustedPath(await place(0o1777))).resolves.toBeUndefined();
  });

  it("leaves what is not there to the connection", async () => {
    await expect(requireTrustedPath(join(folder, "no", "such"))).resolves.toBeUndefined();
  });

  it("follows our own links, and gives up on a loop", async () => {
    const path = await place(0o755);
    await symlink(path, join(folder, "link"));
    await symlink(join(folder, "loop"), join(folder, "loop"));
    await expect(requireTrustedPath(join(folder, "link"))).resolves.toBeUndefined();
    await expect(requireTrustedPath(join(folder, "loop"))).resolves.toBeUndefined();
  });

  // Only root can give files away.
  describe.runIf(root)("as root", () => {
    it("takes a stranger's socket in a folder that only this stranger can write", async () => {
      await expect(requireTrustedPath(await place(0o755, STRANGER, STRANGER))).resolves.toBeUndefined();
    });

    it.for([
      ["in a folder that anyone can write", 0o1777, undefined],
      ["in a folder that its group can write", 0o775, STRANGER],
      ["in somebody else's folder", 0o755, undefined],
    ] as const)("refuses a stranger's socket %s, and names owner and remedy", async ([, mode, folderOwner]) => {
      const path = await place(mode, folderOwner, STRANGER);
      await expect(requireTrustedPath(path)).rejects.toMatchObject({
        code: "UNTRUSTED_SOCKET",
        details: { path, entry: path, owner: STRANGER },
        message: expect.stringMatching(/uid 54321.*brokerUid/),
      });
      await expect(requireTrustedPath(path, STRANGER)).resolves.toBeUndefined();
    });

    it("goes up from where a link led, as the kernel does, and not from where it stands", async () => {
      const path = await place(0o1777, undefined, STRANGER);
      await mkdir(join(folder, "run", "deep"));
      await symlink(join(folder, "run", "deep"), join(folder, "inside"));
      await symlink("inside/../s", join(folder, "link"));
      await expect(requireTrustedPath(join(folder, "link"))).rejects.toMatchObject({ details: { entry: path } });
    });

    it("refuses a stranger's folder or link where anyone could have put it", async () => {
      await chmod(folder, 0o1777);
      const path = await place(0o755, STRANGER, STRANGER);
      await expect(requireTrustedPath(path)).rejects.toMatchObject({ details: { entry: join(folder, "run") } });
      const link = join(folder, "link");
      await symlink(path, link);
      const { lchown } = await import("node:fs/promises");
      await lchown(link, STRANGER, -1);
      await expect(requireTrustedPath(link)).rejects.toMatchObject({ details: { entry: link } });
    });
  });
});
