import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { conformanceCases } from "@basil/backend-conformance";
import { sealedFiles } from "basil-backend-template";

/** @type {string} */
let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-backend-"));
});
after(() => rm(folder, { recursive: true }));

/** A fresh and empty backend for each rule. */
async function create() {
  const sealingKey = Uint8Array.from(randomBytes(32));
  return sealedFiles({ id: "store", folder: await mkdtemp(join(folder, "keys-")), sealingKey });
}

for (const { group, name, run } of conformanceCases(create)) test(`${group}: ${name}`, run);
