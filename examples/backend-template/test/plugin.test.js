import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pluginProblems } from "@basil/core";
import { plugin } from "basil-backend-template";

const context = { signal: new AbortController().signal, requestId: "test" };
const key = /** @type {const} */ ({ name: "app.signer", path: "../../app signer", keyType: "ed25519" });
/** @type {string} */
let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-backend-"));
});
after(() => rm(folder, { recursive: true }));

const open = (digit = "0") => plugin.open({ folder, key: digit.repeat(64) }, { id: "store" });

test("the export is a plugin", () => assert.deepEqual(pluginProblems(plugin), []));

test("a credential has a folder and a key, and nothing else", () => {
  const { credentialSchema } = plugin;
  assert.ok(credentialSchema.safeParse({ folder: "/keys", key: "0".repeat(64) }).success);
  for (const wrong of [
    {},
    { folder: "keys", key: "0".repeat(64) },
    { folder: "/keys", key: "0" },
    { folder: "/keys", key: "0".repeat(64), more: "1" },
  ])
    assert.ok(!credentialSchema.safeParse(wrong).success);
});

test("a key outlives its backend, in a sealed file that only its owner reads", async () => {
  {
    await using backend = await open();
    await backend.transit?.createKey(key, context);
  }
  const [name = "", ...others] = await readdir(folder);
  assert.deepEqual(others, []);
  assert.match(name, /^[0-9a-f]{64}\.key$/);
  assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
  assert.ok(!(await readFile(join(folder, name))).includes("ed25519"));
  await using backend = await open();
  assert.equal((await backend.transit?.sign(key, new Uint8Array(3), context))?.signature.length, 64);
});

test("a file that another key sealed, or that was damaged, is unusable and not absent", async () => {
  await using other = await open("1");
  assert.equal((await other.probe(key, context)).state, "unusable");
  const [name = ""] = await readdir(folder);
  const sealed = await readFile(join(folder, name));
  await writeFile(join(folder, name), sealed.fill(0, 12, 13));
  await using backend = await open();
  assert.equal((await backend.probe(key, context)).state, "unusable");
});
