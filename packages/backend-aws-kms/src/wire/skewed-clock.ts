import type { KMSClient } from "@aws-sdk/client-kms";
import type { SdkResponse } from "../request-handler.js";

type Config = KMSClient["config"];
type Signer = Config["httpAuthSchemes"][number]["signer"];

/** The time as AWS has it: the offset is the client's own, and its signer keeps it by the `Date` of each answer. */
export class SkewedClock {
  readonly #config: Config;
  readonly #signer: Signer | undefined;
  #second = Number.NaN;
  #text = "";

  constructor(config: Config) {
    this.#config = config;
    this.#signer = config.httpAuthSchemes.find(({ schemeId }) => schemeId === "aws.auth#sigv4")?.signer;
  }

  /** For the header `x-amz-date`, for example `20150830T123600Z`. */
  amzDate(): string {
    const second = Math.floor((Date.now() + this.#config.systemClockOffset) / 1000);
    if (second !== this.#second) {
      this.#text = `${new Date(second * 1000).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
      this.#second = second;
    }
    return this.#text;
  }

  /** What is known when a request is sent, for `observe` and `corrected`. */
  sending(): Record<string, unknown> {
    const config = this.#config;
    return { config, _preRequestSystemClockOffset: config.systemClockOffset, _requestSentAt: Date.now() };
  }

  /** Learns from an answer. */
  observe(response: SdkResponse, sent: Record<string, unknown>): void {
    this.#signer?.successHandler?.(response, sent);
  }

  /** As `observe`, from the answer that is the error's `$response`. Marks the error if a retry will have another time. */
  corrected(error: Error, sent: Record<string, unknown>): unknown {
    try {
      this.#signer?.errorHandler?.(sent)(error);
    } catch (thrown) {
      return thrown;
    }
    return error;
  }
}
