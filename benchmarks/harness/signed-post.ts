import { createHash, createHmac } from "node:crypto";
import { type Agent, request } from "node:http";

export interface Target {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

function hmac(key: Uint8Array | string, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

/**
 * A KMS call signed once and sent as often as wanted, for its signature holds for five minutes: what is measured is the
 * server, not the signing of a client.
 */
export function signedPost(target: Target, operation: string, input: object, agent: Agent): () => Promise<Uint8Array> {
  const url = new URL(target.endpoint);
  const body = JSON.stringify(input);
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/us-east-1/kms/aws4_request`;
  const headers: Record<string, string> = {
    "content-type": "application/x-amz-json-1.1",
    host: url.host,
    "x-amz-date": time,
    "x-amz-target": `TrentService.${operation}`,
  };
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]}`);
  const canonical = ["POST", "/", "", ...lines, "", names.join(";"), sha256(body)].join("\n");
  const key = scope.split("/").reduce<Uint8Array | string>(hmac, `AWS4${target.secretAccessKey}`);
  const signature = createHmac("sha256", key)
    .update(["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n"))
    .digest("hex");
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${target.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  headers["content-length"] = String(Buffer.byteLength(body));
  const options = { agent, host: url.hostname, port: url.port, method: "POST", path: "/", headers };
  return () =>
    new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        const chunks: Uint8Array[] = [];
        response.on("data", (chunk: Uint8Array) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const answer = Buffer.concat(chunks);
          if (response.statusCode === 200) resolve(answer);
          else reject(new Error(`${operation}: ${response.statusCode} ${answer.toString().slice(0, 200)}`));
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
}
