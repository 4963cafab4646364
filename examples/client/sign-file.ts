import { readFile, writeFile } from "node:fs/promises";
import { connect, isClientError } from "@basil/client";

const [key, file] = process.argv.slice(2);
if (key === undefined || file === undefined) {
  console.error("usage: sign-file.ts KEY FILE");
  process.exit(2);
}

try {
  await using basil = await connect(process.env.BASIL_SOCKET ?? "/run/basil/basil.sock");
  // Two seconds for the whole call: the broker gives up on KMS then, too.
  const signature = await basil.sign(key, await readFile(file), { timeoutMs: 2000 });
  await writeFile(`${file}.sig`, signature);
  console.log(`${file}.sig: ${signature.length} bytes by ${key}`);
} catch (error) {
  if (!isClientError(error)) throw error;
  // An unknown key and a forbidden one read the same, on purpose.
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = error.code === "BACKEND_UNAVAILABLE" ? 75 : 1;
}
