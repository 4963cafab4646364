import { type Agent, request } from "node:http";
import { type KmsTarget, signedKmsRequest } from "../../e2e/peers/signed-kms-request.ts";

/**
 * A KMS call signed once and sent as often as wanted, for its signature holds for five minutes: what is measured is the
 * server, not the signing of a client.
 */
export function signedPost(
  target: KmsTarget,
  operation: string,
  input: object,
  agent: Agent,
): () => Promise<Uint8Array> {
  const { hostname, port } = new URL(target.endpoint);
  const { headers: signed, body } = signedKmsRequest(target, operation, input);
  const headers = { ...signed, "content-length": Buffer.byteLength(body) };
  const options = { agent, host: hostname, port, method: "POST", path: "/", headers };
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
