// Run inside a project that has the packages installed: a broker and its KMS, for README programs that call one.
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKms } from "@basil/backend-aws-kms";
import { createBroker } from "@basil/broker";
import { parseCatalog } from "@basil/catalog";
import { parsePolicy } from "@basil/policy";

const [, , socket = ""] = process.argv;
const kms = await startKmsEmulator({
  keys: [
    { spec: "ECC_NIST_P256", aliases: ["alias/basil/jwt-signing-primary"] },
    { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/aead"] },
  ],
});
const aws = { kind: "aws-kms", addr: kms.region, engines: ["transit"] };
const entry = { backend: "aws", writable: false, description: "for a program of a README" };
const keys = {
  "web.tls.signing_key": {
    ...entry,
    class: "asymmetric",
    keyType: "ecdsa-p256",
    path: "alias/basil/jwt-signing-primary",
  },
  "app.aead": { ...entry, class: "symmetric", keyType: "aes-256-gcm", path: "alias/basil/aead" },
};
const policy = {
  schemaVersion: 2,
  subjects: { me: { allOf: [{ kind: "unix", uid: process.getuid?.() }] } },
  rules: [
    {
      id: "all",
      subjects: ["me"],
      action: ["op:sign", "op:verify", "op:encrypt", "op:decrypt", "op:get_public_key"],
      target: ["web.**", "app.**"],
    },
  ],
};
const broker = await createBroker({
  catalog: parseCatalog(JSON.stringify({ schemaVersion: 1, backends: { aws }, keys })),
  policy: parsePolicy(JSON.stringify(policy)),
  backends: [awsKms({ id: "aws", region: kms.region, endpoint: kms.endpoint, credentials: kms.rootCredentials })],
});
await broker.listen({ path: socket });
const { accessKeyId, secretAccessKey } = kms.rootCredentials;
console.log(
  JSON.stringify({
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  }),
);
process.once("SIGTERM", () => void broker.close().then(() => kms.close()));
