import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CliError } from "../cli-error.js";
import { readStatements } from "./iam-statements.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "statements-"));
});
afterAll(() => rm(folder, { recursive: true }));

const read = async (text: string | Uint8Array) => {
  await writeFile(join(folder, "policy.json"), text);
  return readStatements("policy.json", folder);
};

describe("readStatements", () => {
  it("reads one statement or several, single values or lists", async () => {
    const statement = { Effect: "Allow", Action: "kms:Sign", Resource: "*" };
    const expected = [{ Effect: "Allow", Action: ["kms:Sign"], Resource: ["*"] }];
    await expect(read(JSON.stringify({ Version: "2012-10-17", Statement: statement }))).resolves.toEqual(expected);
    await expect(read(JSON.stringify({ Statement: [statement] }))).resolves.toEqual(expected);
  });

  it.for([
    ["not JSON", "{", "it is not JSON"],
    ["a list", "[]", "document"],
    ["no statement", "{}", "Statement"],
    ["an effect of its own", '{"Statement":{"Effect":"Maybe"}}', "Statement"],
  ])("refuses %s", async ([, text = "", what]) => {
    await expect(read(text)).rejects.toMatchObject({
      code: "DOCUMENT_REFUSED",
      details: { problems: [expect.stringContaining(what ?? "")] },
    });
  });

  it("refuses any other text in the same way", () =>
    fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (text) => {
        const failure = await read(text).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure !== undefined) expect(failure).toBeInstanceOf(CliError);
      }),
      { numRuns: 50 },
    ));
});
