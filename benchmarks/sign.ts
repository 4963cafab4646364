// Sign through the broker, over its socket, against the AWS SDK called directly: same emulator, same key, same run.
// Client, agent and emulator are a process each. `ratio` is broker / SDK in calls a second.
import { createHash } from "node:crypto";
import { KMSClient, SignCommand } from "@aws-sdk/client-kms";
import { connect } from "@basil/client";
import { startDeployment } from "./harness/deployment.ts";
import { measureInTurns } from "./harness/in-turns.ts";
import { writeResult } from "./harness/result.ts";

const message = new TextEncoder().encode("a message of ordinary length, as a JWS signing input would be, more or less");
const digest = createHash("sha256").update(message).digest();

await using deployment = await startDeployment();
await using basil = await connect(deployment.socket);
const { endpoint, credentials } = deployment;
const kms = new KMSClient({ region: "us-east-1", endpoint, credentials });
const command = {
  KeyId: "alias/basil/bench",
  Message: digest,
  MessageType: "DIGEST",
  SigningAlgorithm: "ECDSA_SHA_256",
} as const;

const results = [];
for (const inFlight of [1, 32]) {
  results.push(
    await measureInTurns(
      { name: "broker", once: () => basil.sign("bench.key", message) },
      { name: "sdk", once: () => kms.send(new SignCommand(command)) },
      { inFlight },
    ),
  );
}
kms.destroy();
writeResult("sign", { unit: "calls a second", ratioOf: "broker / sdk", results });
