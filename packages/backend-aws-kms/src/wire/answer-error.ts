import type { KMSClient } from "@aws-sdk/client-kms";
import type { SdkResponse } from "../request-handler.js";

/** The part of the SDK's JSON 1.1 protocol that turns an answer into an error. */
interface Protocol {
  deserializeResponse(operation: { readonly output: "unit" }, context: object, response: SdkResponse): Promise<unknown>;
}

/**
 * The error of an answer with a status of 300 or more, as the SDK has it: the same class, name (with and without a
 * namespace), text and metadata.
 */
export async function answerError(config: KMSClient["config"], response: SdkResponse): Promise<Error> {
  const protocol = config.protocol as unknown as Protocol;
  let error: Error & { $metadata?: object };
  try {
    await protocol.deserializeResponse({ output: "unit" }, config, response);
    error = new SyntaxError(`status ${response.statusCode} is not an answer of KMS`);
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(String(thrown));
  }
  Object.defineProperty(error, "$response", { value: response, enumerable: false });
  error.$metadata ??= { httpStatusCode: response.statusCode, requestId: requestIdOf(response) };
  return error;
}

/** The id that CloudTrail records as `requestID`. */
export function requestIdOf({ headers }: SdkResponse): string | undefined {
  return headers["x-amzn-requestid"] ?? headers["x-amz-request-id"];
}
