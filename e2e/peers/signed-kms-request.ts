import { createHash, createHmac } from "node:crypto";

export interface KmsTarget {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A KMS request of `us-east-1`, signed by hand, so that no SDK stands between a measurement or a test and the wire. */
export function signedKmsRequest(
  target: KmsTarget,
  operation: string,
  input: object,
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const body = JSON.stringify(input);
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/us-east-1/kms/aws4_request`;
  const headers: Record<string, string> = {
    "content-type": "application/x-amz-json-1.1",
    host: new URL(target.endpoint).host,
    "x-amz-date": time,
    "x-amz-target": `TrentService.${operation}`,
  };
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const hmac = (key: Uint8Array | string, text: string) => createHmac("sha256", key).update(text);
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]}`);
  const canonical = ["POST", "/", "", ...lines, "", names.join(";"), sha256(body)].join("\n");
  const key = scope
    .split("/")
    .reduce<Uint8Array | string>((derived, part) => hmac(derived, part).digest(), `AWS4${target.secretAccessKey}`);
  const signature = hmac(key, ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n")).digest("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${target.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { headers: { ...headers, authorization }, body };
}
