import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileJournal } from "./journal.js";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "journal-"));
  file = join(folder, "journal");
});
afterEach(() => rm(folder, { recursive: true }));

describe("fileJournal", () => {
  it("has nothing unsettled before it is written", async () => {
    await expect(fileJournal(file).unsettled("alias/a")).resolves.toBeUndefined();
  });

  it("tells the next process what was begun, created and settled, alias by alias", async () => {
    await fileJournal(file).creating("alias/a", "first");
    await expect(fileJournal(file).unsettled("alias/a")).resolves.toEqual({ description: "first" });
    await fileJournal(file).created("alias/a", "arn:a");
    await fileJournal(file).creating("alias/b", "second");
    await expect(fileJournal(file).unsettled("alias/a")).resolves.toEqual({ description: "first", arn: "arn:a" });
    await fileJournal(file).settled("alias/a");
    await expect(fileJournal(file).unsettled("alias/a")).resolves.toBeUndefined();
    await expect(fileJournal(file).unsettled("alias/b")).resolves.toEqual({ description: "second" });
  });

  it("is readable by its owner alone", async () => {
    await fileJournal(file).creating("alias/a", "d");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("survives a kill at every byte of a line", async () => {
    await fileJournal(file).creating("alias/a", "d");
    const begun = await readFile(file, "utf8");
    await fileJournal(file).created("alias/a", "arn:a");
    const whole = await readFile(file, "utf8");
    for (let length = begun.length; length < whole.length - 2; length += 1) {
      await writeFile(file, whole.slice(0, length));
      await expect(fileJournal(file).unsettled("alias/a")).resolves.toEqual({ description: "d" });
      await fileJournal(file).created("alias/a", "arn:again");
      await expect(fileJournal(file).unsettled("alias/a")).resolves.toEqual({ description: "d", arn: "arn:again" });
    }
  });

  it("starts a line of its own after one that lost only its end", async () => {
    await fileJournal(file).creating("alias/a", "d");
    await truncate(file, (await stat(file)).size - 1);
    await fileJournal(file).created("alias/a", "arn:a");
    await expect(fileJournal(file).unsettled("alias/a")).resolves.toEqual({ description: "d", arn: "arn:a" });
  });

  it("refuses a file that is something else, and names the line", async () => {
    await fileJournal(file).creating("alias/a", "d");
    await appendFile(file, '{"some":"thing"}\n');
    await expect(fileJournal(file).unsettled("alias/a")).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringContaining("line 2"),
    });
  });

  it("reads any bytes as a journal or refuses them with a code", async () => {
    const lines = fc.array(
      fc.oneof(fc.string(), fc.json(), fc.constant('{"event":"creating","alias":"alias/a","description":"d"}')),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          lines.map((all) => Buffer.from(all.join("\n"))),
          fc.uint8Array().map(Buffer.from),
        ),
        async (bytes) => {
          await writeFile(file, bytes);
          const read = await fileJournal(file)
            .unsettled("alias/a")
            .catch((error: unknown) => error);
          if (read instanceof Error) expect(read).toMatchObject({ code: "INVALID_REQUEST" });
          else expect(read === undefined || typeof read === "object").toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
