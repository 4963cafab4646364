import { hash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { KMSClient, KMSClientConfig } from "@aws-sdk/client-kms";
import { getRetryAfterHint, isServerError, isThrottlingError, isTransientError } from "@smithy/core/retry";
import type { Dispatcher } from "undici";
import type { KmsAnswer, KmsInput } from "../client.js";
import type { SdkResponse, UndiciRequestHandler } from "../request-handler.js";
import type { RetryErrorInfo, RetryStrategy } from "../retry-strategy.js";
import { answerError, requestIdOf } from "./answer-error.js";
import { decodeBody, encodeBody, type LeanAction } from "./json-bodies.js";
import { type RequestTemplate, requestTemplate } from "./request-template.js";
import { SignatureV4 } from "./signature-v4.js";
import { SkewedClock } from "./skewed-clock.js";

type SdkFailure = Omit<Error, "cause"> & {
  cause?: Error;
  $metadata?: { attempts?: number; httpStatusCode?: number };
  $response?: SdkResponse;
};

/**
 * The calls that use a key, in JSON 1.1 and Signature Version 4 by hand, at a sixth of the SDK's processor time. Credentials,
 * endpoint, region, retry strategy, clock offset and errors are those of the client's configuration.
 */
export class LeanWire {
  readonly #config: KMSClient["config"];
  readonly #given: KMSClientConfig;
  readonly #handler: UndiciRequestHandler;
  readonly #clock: SkewedClock;
  #template: Promise<RequestTemplate> | undefined;
  #signer: SignatureV4 | undefined;

  /**
   * @param config - Of a client, as the SDK resolved it.
   * @param given - What that client was made with.
   */
  constructor(config: KMSClient["config"], given: KMSClientConfig, handler: UndiciRequestHandler) {
    this.#config = config;
    this.#given = given;
    this.#handler = handler;
    this.#clock = new SkewedClock(config);
  }

  /**
   * @param endsAt - When the call ends, by `performance.now()`; no attempt and no wait goes on beyond it.
   * @throws the errors of the SDK: with `name`, `$metadata` and, for an answer of KMS, `$response`.
   */
  async call<A extends LeanAction>(
    action: A,
    input: KmsInput<A>,
    signal: AbortSignal,
    endsAt: number,
  ): Promise<KmsAnswer<A>> {
    const body = encodeBody(input);
    const strategy = (await this.#config.retryStrategy()) as RetryStrategy;
    let token = await strategy.acquireInitialRetryToken("");
    for (let attempts = 1; ; attempts += 1) {
      try {
        const answer = await this.#attempt(action, body, signal, endsAt);
        strategy.recordSuccess(token);
        return { ...answer, attempts };
      } catch (thrown) {
        const failure = withAttempts(thrown, attempts);
        token = await strategy.refreshRetryTokenForRetry(token, retryInfo(failure)).catch(() => {
          throw failure;
        });
        const delay = token.getRetryDelay();
        if (performance.now() + delay >= endsAt) throw failure;
        if (delay > 0) await sleep(delay, undefined, { signal });
      }
    }
  }

  async #attempt<A extends LeanAction>(action: A, body: Buffer, signal: AbortSignal, endsAt: number) {
    const sent = this.#clock.sending();
    const response = await this.#handler.attempt(() => this.#request(action, body), signal, endsAt - performance.now());
    if (response.statusCode >= 300) throw this.#clock.corrected(await answerError(this.#config, response), sent);
    this.#clock.observe(response, sent);
    const output = decodeBody(action, response.body);
    if (action === "Decrypt") response.body.fill(0);
    const requestId = requestIdOf(response);
    return { output, ...(requestId !== undefined && { requestId }) };
  }

  async #request(action: LeanAction, body: Buffer): Promise<Dispatcher.DispatchOptions> {
    this.#template ??= requestTemplate(this.#given).catch((error: unknown) => {
      this.#template = undefined;
      throw error;
    });
    const { origin, path, query, pathAndQuery, region, service, ...template } = await this.#template;
    const credentials = await this.#config.credentials();
    const time = this.#clock.amzDate();
    const headers: Record<string, string> = {
      ...template.headers,
      "x-amz-date": time,
      "x-amz-target": `TrentService.${action}`,
    };
    if (credentials.sessionToken) headers["x-amz-security-token"] = credentials.sessionToken;
    this.#signer ??= new SignatureV4(region, service);
    const toSign = { method: "POST", path, query, headers, bodyHash: hash("sha256", body, "hex") };
    const authorization = this.#signer.authorization(toSign, credentials, time);
    return {
      origin,
      path: pathAndQuery,
      method: "POST",
      headers: { ...headers, ...template.unsignedHeaders, authorization },
      body,
    };
  }
}

function withAttempts(thrown: unknown, attempts: number): SdkFailure {
  const failure = (thrown instanceof Error ? thrown : new Error(String(thrown))) as SdkFailure;
  failure.$metadata = { ...failure.$metadata, attempts };
  return failure;
}

/** What the SDK's retry middleware tells a strategy of a failure. */
function retryInfo(error: SdkFailure): RetryErrorInfo {
  const retryAfterHint = getRetryAfterHint(error.$response);
  return { error, errorType: errorType(error), ...(retryAfterHint && { retryAfterHint }) };
}

function errorType(error: SdkFailure): RetryErrorInfo["errorType"] {
  const fault = error as Parameters<typeof isThrottlingError>[0];
  if (isThrottlingError(fault)) return "THROTTLING";
  if (isTransientError(fault)) return "TRANSIENT";
  return isServerError(fault) ? "SERVER_ERROR" : "CLIENT_ERROR";
}
