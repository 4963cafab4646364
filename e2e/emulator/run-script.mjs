// Runs a script of KMS calls with the AWS SDK for JavaScript: JSON on standard input, outcomes as JSON on standard output.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const sdk = createRequire(new URL("../../packages/aws-kms-emulator/package.json", import.meta.url))(
  "@aws-sdk/client-kms",
);

/** An earlier step that should have saved the value failed on this server. */
class NotSaved extends Error {}

function fill(value, saved) {
  if (typeof value === "string" && value.startsWith("$")) {
    const name = value.slice(1);
    if (!(name in saved)) throw new NotSaved(`'${name}' was not saved`);
    return saved[name];
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, saved));
  if (typeof value !== "object" || value === null) return value;
  if (Object.keys(value).join() === "bytes") return Buffer.from(value.bytes, "base64");
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, saved)]));
}

function plain(value) {
  if (value instanceof Uint8Array) return { bytes: value.length };
  if (value instanceof Date) return { date: true };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

async function run(client, steps) {
  const saved = {};
  const outcomes = [];
  for (const step of steps) {
    try {
      const { $metadata, ...answer } = await client.send(new sdk[`${step.call}Command`](fill(step.with, saved)));
      for (const [name, path] of Object.entries(step.save ?? {})) {
        saved[name] = path.split(".").reduce((value, member) => value[member], answer);
      }
      outcomes.push({ status: $metadata.httpStatusCode, output: plain(answer) });
    } catch (error) {
      if (error instanceof NotSaved) {
        outcomes.push({ status: 0, error: "NotReached", message: error.message });
        continue;
      }
      if (error.$metadata === undefined) throw error;
      // This SDK writes "UnknownError" where the service sends no message.
      const message = error.message === "UnknownError" ? "" : error.message;
      outcomes.push({ status: error.$metadata.httpStatusCode, error: error.name, message });
    }
  }
  return {
    outcomes,
    saved: Object.fromEntries(Object.entries(saved).filter(([, value]) => typeof value === "string")),
  };
}

const job = JSON.parse(await text(process.stdin));
// Without credentials in the job the SDK's default chain finds them.
const client = new sdk.KMSClient({
  maxAttempts: 1,
  ...(job.endpoint && { endpoint: job.endpoint }),
  ...(job.region && { region: job.region }),
  ...(job.accessKeyId && { credentials: job }),
});
const results = [];
for (const steps of job.scripts) results.push(await run(client, steps));
client.destroy();
process.stdout.write(JSON.stringify(results));
