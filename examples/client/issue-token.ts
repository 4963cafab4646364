import { writeFile } from "node:fs/promises";
import { connect, createSigner, isClientError, publicJwks, signJwt } from "@basil/client";

const [key, subject, file = "jwks.json"] = process.argv.slice(2);
if (key === undefined || subject === undefined) {
  console.error("usage: issue-token.ts KEY SUBJECT [JWKS_FILE]");
  process.exit(2);
}

try {
  await using basil = await connect(process.env.BASIL_SOCKET ?? "/run/basil/basil.sock");
  const signer = await createSigner(basil, key);
  const now = Math.floor(Date.now() / 1000);
  console.log(await signJwt(signer, { iss: "https://issuer.example", sub: subject, iat: now, exp: now + 300 }));
  // What verifiers fetch: the public half, under the same `kid` as the token names.
  await writeFile(file, `${JSON.stringify(publicJwks([signer]), null, 2)}\n`);
} catch (error) {
  if (!isClientError(error)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = error.code === "BACKEND_UNAVAILABLE" ? 75 : 1;
}
