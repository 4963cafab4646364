import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";
import { canonicalRequest, type RequestToSign } from "./canonical-request.js";

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/** AWS Signature Version 4 of one region and service. The signing key is kept until the secret or the day changes. */
export class SignatureV4 {
  readonly #scopeEnd: string;
  readonly #region: string;
  readonly #service: string;
  #secret: string | undefined;
  #day: string | undefined;
  #key: KeyObject | undefined;

  constructor(region: string, service: string) {
    this.#region = region;
    this.#service = service;
    this.#scopeEnd = `/${region}/${service}/aws4_request`;
  }

  /**
   * @param time - As the header `x-amz-date` has it, for example `20150830T123600Z`.
   * @returns the value of the header `authorization`.
   */
  authorization(request: RequestToSign, { accessKeyId, secretAccessKey }: SigningCredentials, time: string): string {
    const { text, signedHeaders } = canonicalRequest(request);
    const day = time.slice(0, 8);
    const scope = day + this.#scopeEnd;
    const toSign = `${ALGORITHM}\n${time}\n${scope}\n${hash("sha256", text, "hex")}`;
    const signature = createHmac("sha256", this.#signingKey(secretAccessKey, day)).update(toSign).digest("hex");
    return `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  }

  /** A key object: with bytes for a key, Node makes one for every HMAC, which takes longer than the HMAC. */
  #signingKey(secret: string, day: string): KeyObject {
    if (this.#key === undefined || this.#secret !== secret || this.#day !== day) {
      let key: Uint8Array = Buffer.from(`AWS4${secret}`);
      for (const part of [day, this.#region, this.#service, "aws4_request"]) {
        key = createHmac("sha256", key).update(part).digest();
      }
      this.#key = createSecretKey(key);
      this.#secret = secret;
      this.#day = day;
    }
    return this.#key;
  }
}
