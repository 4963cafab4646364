import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasProgram } from "../peers/program.js";
import { rawCall } from "./raw-call.js";

const run = promisify(execFile);
const message = Buffer.from("signed by the emulator, verified by openssl");

describe.skipIf(!hasProgram("openssl", ["version"]))("openssl", () => {
  let emulator: KmsEmulator;
  let folder: string;

  beforeAll(async () => {
    emulator = await startKmsEmulator();
    folder = await mkdtemp(join(tmpdir(), "openssl-"));
  });

  afterAll(async () => {
    await emulator.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** What GetPublicKey and Sign answer, as files. */
  async function signedFiles(KeySpec: string, SigningAlgorithm: string, spec: Record<string, string>) {
    const { KeyMetadata } = await rawCall(emulator, "CreateKey", { KeySpec, KeyUsage: "SIGN_VERIFY" });
    const { PublicKey } = await rawCall(emulator, "GetPublicKey", { KeyId: KeyMetadata.KeyId });
    const files = {
      der: join(folder, `${KeySpec}.der`),
      signature: join(folder, `${KeySpec}.sig`),
      message: join(folder, "message"),
    };
    const answer = await rawCall(emulator, "Sign", {
      KeyId: KeyMetadata.KeyId,
      Message: message.toString("base64"),
      SigningAlgorithm,
      ...spec,
    });
    await writeFile(files.der, Buffer.from(PublicKey, "base64"));
    await writeFile(files.signature, Buffer.from(answer.Signature, "base64"));
    await writeFile(files.message, message);
    return files;
  }

  it.for([
    ["ECC_NIST_P256", "ECDSA_SHA_256", "-sha256"],
    ["ECC_NIST_P384", "ECDSA_SHA_384", "-sha384"],
    ["ECC_NIST_P521", "ECDSA_SHA_512", "-sha512"],
  ] as const)("verifies signatures of %s with the key that GetPublicKey gives", async ([spec, algorithm, hash]) => {
    const files = await signedFiles(spec, algorithm, {});
    const verify = [
      "dgst",
      hash,
      "-verify",
      files.der,
      "-keyform",
      "DER",
      "-signature",
      files.signature,
      files.message,
    ];
    expect((await run("openssl", verify)).stdout.trim()).toBe("Verified OK");
    await writeFile(files.message, "another message");
    await expect(run("openssl", verify)).rejects.toMatchObject({ stdout: "Verification failure\n" });
  });

  it("verifies signatures of ECC_NIST_EDWARDS25519 with the key that GetPublicKey gives", async () => {
    const files = await signedFiles("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", { MessageType: "RAW" });
    const verify = ["pkeyutl", "-verify", "-pubin", "-inkey", files.der, "-keyform", "DER", "-rawin"];
    const given = ["-in", files.message, "-sigfile", files.signature];
    expect((await run("openssl", [...verify, ...given])).stdout.trim()).toBe("Signature Verified Successfully");
    await writeFile(files.message, "another message");
    await expect(run("openssl", [...verify, ...given])).rejects.toMatchObject({ code: 1 });
  });
});
