import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { beforeAll, describe, expect, it } from "vitest";
import { hasPython, pythonVenv } from "../peers/python.js";
import { kmsPeers } from "./kms-peers.js";
import { explained } from "./moto-differences.js";
import { runWithBoto3 } from "./run-scripts.js";
import { scripts } from "./scripts.js";
import { type Difference, shapeDifferences } from "./shape-differences.js";

/** moto 5 has no Ed25519 keys. */
const served = Object.entries(scripts).filter(([name]) => name !== "ECC_NIST_EDWARDS25519");

describe.skipIf(!hasPython())("the emulator and moto 5", () => {
  let differences: Difference[] = [];

  beforeAll(async () => {
    const python = await pythonVenv(kmsPeers);
    await using emulator = await startKmsEmulator({ users: [{ name: "guest" }] });
    const { endpoint, region, rootCredentials } = emulator;
    const list = served.map(([, steps]) => steps);
    const [ours, theirs] = await Promise.all([
      runWithBoto3(python, { endpoint, region, ...rootCredentials, scripts: list }),
      runWithBoto3(python, { region, accessKeyId: "any", secretAccessKey: "any", scripts: list }),
    ]);
    differences = served.flatMap(([name, steps], i) => shapeDifferences(name, steps, ours[i]!, theirs[i]!));
  }, 300_000);

  it("answer the same scripts with the same shapes, but for the differences that are listed with their reason", () => {
    expect(differences.filter((one) => !explained.some(({ differs }) => differs(one)))).toEqual([]);
  });

  it("differ in everything that is listed, so that the list does not outlive its reasons", () => {
    expect(explained.filter(({ differs }) => !differences.some(differs)).map(({ why }) => why)).toEqual([]);
  });
});
