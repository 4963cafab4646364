import type { KmsEmulator } from "@basil/aws-kms-emulator";
import { signedKmsRequest } from "../peers/signed-kms-request.ts";

// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the service says; the tests read members of it
export type Answer = any;

/** One call as the account's root user; an error answer is thrown. */
export async function rawCall(emulator: KmsEmulator, operation: string, input: object): Promise<Answer> {
  const { endpoint, rootCredentials } = emulator;
  const request = signedKmsRequest({ endpoint, ...rootCredentials }, operation, input);
  const response = await fetch(endpoint, { method: "POST", ...request });
  const answer: Answer = JSON.parse((await response.text()) || "{}");
  if (!response.ok) throw new Error(`${operation}: ${JSON.stringify(answer)}`);
  return answer;
}
