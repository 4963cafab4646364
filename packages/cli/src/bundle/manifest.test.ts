import { describe, expect, it } from "vitest";
import { parseManifest } from "./manifest.js";

const parse = (text: string) => parseManifest("m.toml", new TextEncoder().encode(text));

describe("parseManifest", () => {
  const text =
    '[[slot]]\ntype = "passphrase"\nfile = "p"\n[[backend]]\nid = "k"\ntype = "aws-kms"\nregion = "us-east-1"\n';

  it.for([
    ["as it is", text],
    ["with CR LF", text.replaceAll("\n", "\r\n")],
    ["behind a byte order mark", `\ufeff${text}`],
  ])("takes a manifest %s", async ([, given = ""]) => {
    const { slots, backends } = await parse(given);
    expect(slots).toMatchObject([{ type: "passphrase", fields: new Map([["file", "p"]]) }]);
    expect(backends).toMatchObject([{ id: "k", type: "aws-kms", fields: new Map([["region", "us-east-1"]]) }]);
  });

  it.for([
    ["[[slot]]\ntype = passphrase", "line 2, column 8: invalid value"],
    ['catalog = "x"', '"catalog" is unknown; [[slot]] and [[backend]] tables are allowed'],
    ['slot = "x"', "slot is not an array of tables: write [[slot]]"],
    ['[[slot]]\ntype = "passphrase"\nfile = ["p"]', "slot 1: file is neither text, an integer nor true or false"],
    ["\u0000", "line 1, column 1"],
  ] as const)("refuses %j, and says where", async ([given, problem]) => {
    await expect(parse(given)).rejects.toMatchObject({
      code: "DOCUMENT_REFUSED",
      details: { path: "m.toml", problems: [expect.stringContaining(problem)] },
    });
  });

  it("refuses what is no UTF-8 text", async () => {
    const refused = parseManifest("m.toml", new Uint8Array([0x23, 0xff]));
    await expect(refused).rejects.toMatchObject({ details: { problems: ["it is not UTF-8 text"] } });
  });
});
