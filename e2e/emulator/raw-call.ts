import { createHash, createHmac } from "node:crypto";
import type { KmsEmulator } from "@basil/aws-kms-emulator";

function hmac(key: Uint8Array | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the service says; the tests read members of it
export type Answer = any;

/** One call as the account's root user, signed here by hand, so that no SDK stands between a test and the wire. */
export async function rawCall(emulator: KmsEmulator, operation: string, input: object): Promise<Answer> {
  const { accessKeyId, secretAccessKey } = emulator.rootCredentials;
  const body = JSON.stringify(input);
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${emulator.region}/kms/aws4_request`;
  const headers: Record<string, string> = {
    "content-type": "application/x-amz-json-1.1",
    host: new URL(emulator.endpoint).host,
    "x-amz-date": time,
    "x-amz-target": `TrentService.${operation}`,
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    "POST",
    "/",
    "",
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    createHash("sha256").update(body).digest("hex"),
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  const key = scope
    .split("/")
    .reduce<Uint8Array | string>((derived, part) => hmac(derived, part), `AWS4${secretAccessKey}`);
  const signature = createHmac("sha256", key).update(text).digest("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const response = await fetch(emulator.endpoint, { method: "POST", body, headers: { ...headers, authorization } });
  const answer: Answer = JSON.parse((await response.text()) || "{}");
  if (!response.ok) throw Object.assign(new Error(`${operation}: ${JSON.stringify(answer)}`), { answer });
  return answer;
}
