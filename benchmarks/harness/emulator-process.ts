// An emulator with a P-256 key, a symmetric one and one user, in a process of its own: what is measured shares no event loop with it.
import { startKmsEmulator } from "@basil/aws-kms-emulator";

const emulator = await startKmsEmulator({
  keys: [
    { spec: "ECC_NIST_P256", aliases: ["alias/basil/bench", "alias/basil/other"] },
    { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/bench-aead"] },
  ],
});
const { accessKeyId, secretAccessKey } = emulator.principals.createUser({
  name: "bench",
  policies: [{ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }] }],
});
process.stdout.write(`${JSON.stringify({ endpoint: emulator.endpoint, accessKeyId, secretAccessKey })}\n`);
process.stdin.resume().once("end", () => void emulator.close());
