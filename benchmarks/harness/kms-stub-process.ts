// A KMS that answers at once, in a process of its own: what is measured is the caller. It checks no request, and every Sign gets
// the signature of the one measured message. A line `delay MS` on standard input sets the milliseconds before each answer.
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { MEASURED_MESSAGE } from "./measured-message.ts";

const ARN = "arn:aws:kms:us-east-1:111122223333:key/6f1a1f6e-0c5d-4f0e-9a51-7a4f6a3d2b10";
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const asymmetric = {
  KeyId: ARN,
  KeySpec: "ECC_NIST_P256",
  KeyUsage: "SIGN_VERIFY",
  SigningAlgorithms: ["ECDSA_SHA_256"],
};
const symmetric = { KeyId: ARN, KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT" };
const metadata = { Arn: ARN, AWSAccountId: "111122223333", KeyState: "Enabled", Enabled: true, CreationDate: 1.7e9 };

const ANSWERS: Readonly<Record<string, (body: string) => object>> = {
  Sign: () => SIGNED,
  GetPublicKey: () => ({
    ...asymmetric,
    PublicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  }),
  DescribeKey: (body) => ({ KeyMetadata: { ...metadata, ...(body.includes("aead") ? symmetric : asymmetric) } }),
  ListAliases: () => ({ Aliases: [], Truncated: false }),
};
const SIGNED = {
  KeyId: ARN,
  SigningAlgorithm: "ECDSA_SHA_256",
  Signature: sign("sha256", MEASURED_MESSAGE, privateKey).toString("base64"),
};

let delayMs = 0;

function answer(socket: Socket, head: string, body: string): void {
  const operation = /^x-amz-target: *TrentService\.(\w+)/im.exec(head)?.[1] ?? "";
  const output = ANSWERS[operation]?.(body);
  const text = JSON.stringify(output ?? { __type: "UnknownOperationException" });
  const headers = [
    `HTTP/1.1 ${output ? "200 OK" : "400 Bad Request"}`,
    `x-amzn-requestid: ${randomUUID()}`,
    `date: ${new Date().toUTCString()}`,
    "content-type: application/x-amz-json-1.1",
    `content-length: ${Buffer.byteLength(text)}`,
  ];
  const send = () => socket.write(`${headers.join("\r\n")}\r\n\r\n${text}`);
  if (delayMs === 0) send();
  else setTimeout(send, delayMs);
}

const server = createServer({ noDelay: true }, (socket) => {
  let received: Buffer = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    for (;;) {
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = received.toString("latin1", 0, end);
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (received.length < end + 4 + length) return;
      answer(socket, head, received.toString("utf8", end + 4, end + 4 + length));
      received = received.subarray(end + 4 + length);
    }
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
createInterface(process.stdin)
  .on("line", (line) => {
    delayMs = Number(/^delay (\d+)$/.exec(line)?.[1]);
  })
  .once("close", () => process.exit());
